from pathlib import Path

import numpy as np
import pytest

from kerasgan.errors import UserError
from kerasgan.search.approximate import FILE, ApproximateIndex
from tests.search.makers import WORDS, make_index, unit_vectors

pytest.importorskip("usearch")


def test_it_finds_what_exact_search_finds(tmp_path):
    captions = [f"{WORDS[n % 9]} {WORDS[n // 9 % 9]}" for n in range(400)]
    index = make_index(tmp_path / "index", captions, unit_vectors(400))
    messages = []
    engine = ApproximateIndex(index, messages.append)
    assert "Building" in messages[0] and "Recall at 10" in messages[1]
    assert engine.recall() > 0.9
    rows, scores = engine.rank("red dog", 5)
    _, expected = index.rank("red dog", "embedding", 5)
    np.testing.assert_allclose(scores[0], expected[0], atol=0.02)
    again = ApproximateIndex(index, messages.append)  # from the file
    assert len(messages) == 2
    np.testing.assert_array_equal(again.rank("red dog", 5)[0], rows)
    assert [path.name for path in index.data.path.glob("usearch*")] == [FILE]


def test_images_that_are_alike(tmp_path):
    vectors = unit_vectors(400)
    index = make_index(tmp_path / "index", ["a dog"] * 400, vectors)
    engine, shares = ApproximateIndex(index, lambda text: None), []
    for row in range(0, 400, 20):
        vector = index.data.vectors([row])[0]
        exact, cosines = index.rank_alike(vector, 10)
        rows, scores = engine.rank_alike(vector, 10)
        shares.append(np.isin(exact, rows).mean())
        assert rows[0] == row and scores[0] == pytest.approx(cosines[0], abs=0.02)
    assert np.mean(shares) > 0.9


def test_a_graph_that_is_not_complete_is_not_kept(tmp_path, monkeypatch):
    index = make_index(tmp_path / "index", ["a dog", "a boat"])
    before = set(index.data.path.iterdir())

    def save(self, path):
        Path(path).write_bytes(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr("usearch.index.Index.save", save)
    with pytest.raises(KeyboardInterrupt):
        ApproximateIndex(index, lambda text: None)
    assert set(index.data.path.iterdir()) == before


def test_a_graph_that_cannot_be_kept(tmp_path):
    index = make_index(tmp_path / "index", ["a dog", "a boat"])
    (index.data.path / FILE).mkdir()  # as if the disk were read-only
    messages = []
    engine = ApproximateIndex(index, messages.append)
    assert "Cannot keep" in messages[1] and len(engine.rank("dog", 5)[0]) == 2


def test_a_damaged_file_is_named(tmp_path):
    index = make_index(tmp_path / "index", ["a dog"])
    (index.data.path / FILE).write_bytes(b"no index")
    with pytest.raises(UserError, match="usearch.index is damaged"):
        ApproximateIndex(index, print)
