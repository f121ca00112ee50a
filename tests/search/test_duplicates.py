import numpy as np
import pytest

from kerasgan.search import duplicates
from kerasgan.search.duplicates import find_duplicates
from tests.search.makers import make_index, unit_vectors


@pytest.mark.parametrize("threshold", [0.5, 0.9, 0.999])
def test_groups_are_those_of_all_cosines(tmp_path, monkeypatch, threshold):
    monkeypatch.setattr(duplicates, "ROWS", 7)
    monkeypatch.setattr(duplicates, "COLUMNS", 16)
    vectors = unit_vectors(60)
    vectors[50:] = vectors[:10] + 0.02 * unit_vectors(10, seed=3)
    vectors[59] = vectors[20]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = make_index(tmp_path / "index", ["a"] * 60, vectors)
    linked = vectors @ vectors.T >= threshold
    for _ in range(8):  # chains of pairs
        linked = linked @ linked
    expected = {tuple(np.flatnonzero(row).tolist()) for row in linked}
    found = [tuple(group.tolist()) for group in find_duplicates(index.data, threshold)]
    assert found == sorted(group for group in expected if len(group) > 1)
    assert any(59 in group for group in found)
