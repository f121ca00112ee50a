import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerasgan.search import nearest
from kerasgan.search.nearest import best_positions, fit_rotation, nearest_rows
from tests.search.makers import make_index, unit_vectors

SMALL = st.floats(-2, 2, width=16)


@given(arrays(np.float32, st.integers(0, 400), elements=SMALL), st.integers(1, 9))
def test_best_positions_are_those_of_a_stable_sort(scores, count):
    expected = np.argsort(-scores, kind="stable")[:count]
    np.testing.assert_array_equal(best_positions(scores, count), expected)


def test_best_positions_of_many_scores():
    scores = np.random.default_rng(0).normal(size=100_000).astype("float32")
    expected = np.argsort(-scores, kind="stable")
    for count in (1, 10, 1000):
        np.testing.assert_array_equal(best_positions(scores, count), expected[:count])


def test_the_rotation_moves_length_to_the_first_dimensions():
    vectors = unit_vectors(200)
    rotation = fit_rotation(vectors)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(16), atol=1e-5)
    lengths = ((vectors @ rotation) ** 2).mean(0)
    assert (np.diff(lengths) <= 1e-6).all() and lengths[:4].sum() > 0.5


@pytest.mark.parametrize("decay", [0.8, 1.0])
@pytest.mark.parametrize("count", [1, 10, 3000])
def test_nearest_rows_are_those_of_a_full_product(tmp_path, monkeypatch, decay, count):
    monkeypatch.setattr(nearest, "LEADING", 4)
    monkeypatch.setattr("kerasgan.search.publish.LEADING", 4)
    monkeypatch.setattr("kerasgan.search.publish.NEXT", 5)
    monkeypatch.setattr(nearest, "NEXT", 5)
    vectors = unit_vectors(2000, decay=decay)
    index = make_index(tmp_path / "index", ["a dog"] * 2000, vectors)
    assert index.data.leading.shape == (2000, 4)
    bias = -index.data.hubness
    for query in unit_vectors(5, seed=7, decay=decay):
        rows, sums = nearest_rows(index.data, query @ index.rotation, bias, count)
        expected = vectors @ query + bias
        assert len(rows) == min(count, 2000)
        np.testing.assert_allclose(sums, expected[rows], atol=1e-5)
        np.testing.assert_allclose(sums, -np.sort(-expected)[:count], atol=1e-5)


def test_few_rows_are_compared_in_all_dimensions(tmp_path, monkeypatch):
    """Which makes it faster than a full product."""
    index = make_index(tmp_path / "index", ["a"] * 3000, unit_vectors(3000, decay=0.5))
    bias, query = np.zeros(3000, "float32"), index.data.vectors([7])[0]
    split = index.data.leading.shape[1]
    scores = index.data.leading @ query[:split]
    rows, _ = nearest._compare_candidates(index.data, scores, query[split:], 3)
    assert 3 <= len(rows) < 300
    assert nearest_rows(index.data, query, bias, 1)[0] == [7]
