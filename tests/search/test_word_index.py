import numpy as np
import pytest

from kerasgan.errors import UserError
from kerasgan.evaluation.tfidf_similarity import fit_tfidf
from kerasgan.search import word_index
from kerasgan.search.word_index import (
    WordModel,
    save_word_index,
    save_word_model,
    word_scores,
)

CAPTIONS = ["A red dog runs.", "the blue boat", "a dog, on a beach!", "", "zebra"]
QUERIES = ["dog", "a red boat", "A dog a dog zebra", "nothing", "犬 on the beach"]


@pytest.fixture
def vectorizer():
    return fit_tfidf([*CAPTIONS[:3], "犬 runs", "the beach"])


def load_arrays(path):
    names = ("columns", "rows", "values")
    return tuple(np.load(path / f"words-{name}.npy") for name in names)


def test_scores_are_the_cosines_of_the_evaluation(tmp_path, vectorizer, monkeypatch):
    monkeypatch.setattr(word_index, "CHUNK_SIZE", 2)
    save_word_model(tmp_path, vectorizer)
    model = WordModel.load(tmp_path)
    save_word_index(tmp_path, model, iter(CAPTIONS))
    cosines = vectorizer.transform(QUERIES) @ vectorizer.transform(CAPTIONS).T
    for query, expected in zip(QUERIES, cosines.toarray(), strict=True):
        scores = word_scores(load_arrays(tmp_path), model.transform(query), 5)
        np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_ten_thousand_words(tmp_path, vectorizer):
    save_word_model(tmp_path, vectorizer)
    columns, values = WordModel.load(tmp_path).transform("dog zebra " * 5000)
    assert len(columns) == 1 and values.tolist() == [1.0]


def test_damaged_words_are_named(tmp_path, vectorizer):
    save_word_model(tmp_path, vectorizer)
    (tmp_path / "words.txt").write_text("dog\n")
    with pytest.raises(UserError, match="words.txt is damaged: 1 words"):
        WordModel.load(tmp_path)
    (tmp_path / "words.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="damaged"):
        WordModel.load(tmp_path)
