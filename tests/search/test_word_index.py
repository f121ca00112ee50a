import numpy as np
import pytest

from kerasgan.errors import UserError
from kerasgan.evaluation.tfidf_similarity import fit_tfidf
from kerasgan.search import word_index
from kerasgan.search.index_files import IndexData
from kerasgan.search.word_index import (
    WordModel,
    save_word_index,
    save_word_model,
    select_captions,
    word_scores,
)
from tests.search.makers import make_index

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


def test_added_captions_have_the_vectors_of_a_new_index(tmp_path):
    captions = ["a red dog", "the blue boat", "", "a dog on the beach", "red red boat"]
    whole = make_index(tmp_path / "whole", captions)
    old = make_index(tmp_path / "old", captions[:3] + ["gone"] + captions[3:4])
    rows = np.array([0, 1, 2, 4])
    kept = select_captions(old.data, rows, len(old.words.columns))
    save_word_index(tmp_path, old.words, captions[4:], kept)
    for name, array in zip(
        ("columns", "rows", "values"), whole.data.words, strict=True
    ):
        np.testing.assert_array_equal(np.load(tmp_path / f"words-{name}.npy"), array)
    path = old.data.path / "words-rows.npy"
    np.save(path, np.load(path) + 99)
    with pytest.raises(UserError, match="words-rows.npy is damaged"):
        select_captions(IndexData.open(old.data.path), rows, len(old.words.columns))


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
