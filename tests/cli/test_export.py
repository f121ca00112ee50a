import pytest
from click.testing import CliRunner

from kerasgan.cli import main


def call(*arguments, status=0):
    result = CliRunner().invoke(main, ["export", *(str(text) for text in arguments)])
    assert result.exit_code == status, result.output
    return result


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give either a RUN"),
        (["run", "--check", "out"], "Give either a RUN"),
        (["run"], "A RUN needs --out DIR"),
        (["--check", "absent"], "is not an export"),
        (["absent", "--out", "out"], "There is no run at"),
        (["absent", "--out", "out", "--format", "jax"], "--format"),
    ],
)
def test_mistakes_exit_2_without_traceback(arguments, message):
    output = call(*arguments, status=2).output
    assert message in output and "Traceback" not in output
