"""TF-IDF cosines, against the textbook's formula in loops."""

import math

import numpy as np
import pytest

from kerasgan.evaluation import tfidf_similarity
from kerasgan.evaluation.tfidf_similarity import fit_tfidf, similarity_matrix

TRAIN = ["A dog runs.", "a dog sleeps", "Two men ride a bike", "the sea", "a sea"]
CAPTIONS = ["a dog", "men, men on a bike", "a zebra", "A SEA!", ""]
REFERENCES = [
    ["a dog runs", "The sea?", "a"],
    ["two men"],
    [],
    ["the sea", "a dog", "?!", "sea"],
    ["zebra", "a dog"],
]
VECTORIZER = fit_tfidf(TRAIN)


def words_of(text):
    return "".join(c.lower() if c.isalnum() else " " for c in text).split()


def cosine(left, right):
    documents = [set(words_of(text)) for text in TRAIN]

    def weights(text):
        words = words_of(text)
        containing = {w: sum(w in document for document in documents) for w in words}
        return {
            w: words.count(w) * (math.log((1 + len(TRAIN)) / (1 + count)) + 1)
            for w, count in containing.items()
            if count
        }

    left, right = weights(left), weights(right)
    lengths = math.hypot(*left.values()) * math.hypot(*right.values())
    dot = sum(left[word] * right.get(word, 0) for word in left)
    return dot / lengths if lengths else 0.0


REDUCED = {"max": max, "mean": np.mean, "first": lambda cosines: cosines[0]}


@pytest.mark.parametrize("reduction", REDUCED)
@pytest.mark.parametrize("chunk", [1, 3, 512])
def test_matrix_against_loops(reduction, chunk, monkeypatch):
    monkeypatch.setattr(tfidf_similarity, "CHUNK", chunk)
    spoken = [[text for text in own if words_of(text)] for own in REFERENCES]
    naive = [
        [
            REDUCED[reduction]([cosine(caption, reference) for reference in own])
            if own and spoken[row]
            else np.nan
            for own in spoken
        ]
        for row, caption in enumerate(CAPTIONS)
    ]
    found = similarity_matrix(VECTORIZER, CAPTIONS, REFERENCES, reduction)
    np.testing.assert_allclose(found, naive, atol=1e-11)
    assert np.isnan(found[2]).all() and np.isnan(found[:, 2]).all()
    assert (found[4, [0, 1, 3, 4]] == 0).all()  # no known word is a score, not a gap


def test_words_of_one_letter_and_common_words_count():
    assert set(VECTORIZER.get_feature_names_out()) >= {"a", "the"}
    assert similarity_matrix(VECTORIZER, ["a"], [["a"]]) == 1


def test_the_same_words_score_exactly_one():
    texts = ["Two men ride a bike", "the dog runs", "a dog sleeps"]
    found = similarity_matrix(VECTORIZER, texts, [[text.upper()] for text in texts])
    assert (np.diag(found) == 1).all() and (found <= 1).all()


def test_half_the_weight_scores_exactly_half():
    vectorizer = fit_tfidf(["b c d e f g h i j k l m n"])
    captions = ["b c", "b c d e f", "b c d e f g h i"]
    references = [["c d"], ["f b g h i j k l m n c d"], ["i h g f k l m n"]]
    found = np.diag(similarity_matrix(vectorizer, captions, references))
    assert found[0] == 0.5 and found[2] == 0.5


def test_images_that_all_lack_references():
    with pytest.raises(ValueError, match="No image .* Received: 2 images"):
        similarity_matrix(VECTORIZER, ["a dog", ""], [["?"], []])


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="max, mean, first. Received: 'median'"):
        similarity_matrix(VECTORIZER, ["a"], [["a"]], "median")
    with pytest.raises(ValueError, match="Received: 1 captions and 2 lists"):
        similarity_matrix(VECTORIZER, ["a"], [["a"], ["b"]])
