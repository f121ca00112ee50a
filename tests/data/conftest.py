import pytest

from tests.data import coyo_makers


@pytest.fixture
def pairs():
    return coyo_makers.rows(10)
