"""Reranking of search results by a captioner that prefers bright images."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from kerasgan.captioning.likelihood_reranking import WEIGHT
from kerasgan.layers.text_vectorization import build_vectorizer
from kerasgan.search.reranking import SearchReranker
from tests.search.makers import make_index

BRIGHTNESS = [10, 200, 50, 250, 120, 90]
ROWS, SCORES = np.array([4, 2, 0, 3, 1, 5]), np.linspace(0.5, 0.45, 6)


class Captioner:
    """The likelihood is the brightness; remembers the captions."""

    def log_likelihoods(self, features, token_ids):
        self.token_ids = token_ids
        return features[:, :, 0, 0]


@pytest.fixture
def pipeline():
    return SimpleNamespace(
        vectorizer=build_vectorizer(None, ["[START]", "red", "dog"], 9, 8),
        image_size=16,
        encode_images=lambda images: images.mean((1, 2, 3)).reshape(-1, 1, 1, 1),
        captioner=Captioner(),
    )


@pytest.fixture
def index(tmp_path):
    names = [str(tmp_path / f"{n}.png") for n in range(len(BRIGHTNESS))]
    for name, level in zip(names, BRIGHTNESS, strict=True):
        Image.new("RGB", (20, 30), (level,) * 3).save(name)
    captions = ["a red dog"] * len(names)
    return make_index(tmp_path / "index", captions, names=names, current=True)


def test_the_first_images_are_ranked_by_both_models(index, pipeline):
    reranker = SearchReranker(index, pipeline, "crop")
    rows, scores, count = reranker.rerank("red dog", ROWS, SCORES, 4)
    assert count == 4
    assert list(rows) == [3, 4, 2, 0, 1, 5]  # only 3, 4, 2 and 0 are read
    assert pipeline.captioner.token_ids[:, 0, :4].tolist() == [[2, 3, 4, 0]] * 4
    assert (np.diff(scores) <= 1e-9).all()
    mean = np.mean([BRIGHTNESS[row] for row in rows[:4]])
    gain = WEIGHT * (BRIGHTNESS[3] - mean) / 3**0.5  # [START] and two words
    assert scores[0] == pytest.approx(SCORES[3] + gain)
    assert scores[4] - scores[5] == pytest.approx(SCORES[4] - SCORES[5])


def test_files_that_are_not_what_was_indexed_follow(index, pipeline, tmp_path):
    (tmp_path / "3.png").unlink()
    (tmp_path / "4.png").write_bytes(b"changed")
    reranker = SearchReranker(index, pipeline, "crop")
    rows, scores, count = reranker.rerank("red dog", ROWS, SCORES, 6)
    assert list(rows) == [1, 5, 2, 0, 4, 3] and count == 4
    assert (np.diff(scores) <= 1e-9).all()
    for name in ("0", "1", "2", "5"):
        (tmp_path / f"{name}.png").unlink()
    rows, scores, count = reranker.rerank("red dog", ROWS, SCORES, 6)
    np.testing.assert_array_equal([rows, scores], [ROWS, SCORES])
    assert count == 0


def test_an_unreadable_image_follows(index, pipeline, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasgan.search.reranking.file_state", lambda _: "unchanged")
    (tmp_path / "3.png").write_bytes(b"no image")
    (tmp_path / "1.png").unlink()
    reranker = SearchReranker(index, pipeline, "crop")
    assert list(reranker.rerank("red dog", ROWS, SCORES, 6)[0]) == [4, 5, 2, 0, 3, 1]
    assert not len(reranker.rerank("dog", ROWS[:0], SCORES[:0], 6)[0])
