"""TF-IDF similarities, compared with loops over the formula."""

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
    norms = math.hypot(*left.values()) * math.hypot(*right.values())
    dot = sum(left[word] * right.get(word, 0) for word in left)
    return dot / norms if norms else 0.0


REDUCED = {"max": max, "mean": np.mean, "first": lambda cosines: cosines[0]}


@pytest.mark.parametrize("reduction", REDUCED)
@pytest.mark.parametrize("chunk_size", [1, 3, 512])
def test_matrix_equals_that_of_loops(reduction, chunk_size, monkeypatch):
    monkeypatch.setattr(tfidf_similarity, "CHUNK_SIZE", chunk_size)
    references = [[text for text in texts if words_of(text)] for texts in REFERENCES]
    naive = [
        [
            REDUCED[reduction]([cosine(caption, reference) for reference in texts])
            if texts and references[row]
            else np.nan
            for texts in references
        ]
        for row, caption in enumerate(CAPTIONS)
    ]
    matrix = similarity_matrix(VECTORIZER, CAPTIONS, REFERENCES, reduction)
    np.testing.assert_allclose(matrix, naive, atol=1e-11)
    assert np.isnan(matrix[2]).all() and np.isnan(matrix[:, 2]).all()
    assert (matrix[4, [0, 1, 3, 4]] == 0).all()  # no known word: 0, not NaN


def test_words_of_one_letter_and_common_words_count():
    assert set(VECTORIZER.get_feature_names_out()) >= {"a", "the"}
    assert similarity_matrix(VECTORIZER, ["a"], [["a"]]) == 1


def test_equal_words_have_a_similarity_of_exactly_one():
    texts = ["Two men ride a bike", "the dog runs", "a dog sleeps"]
    matrix = similarity_matrix(VECTORIZER, texts, [[text.upper()] for text in texts])
    assert (np.diag(matrix) == 1).all() and (matrix <= 1).all()


def test_half_the_weight_has_a_similarity_of_exactly_half():
    vectorizer = fit_tfidf(["b c d e f g h i j k l m n"])
    captions = ["b c", "b c d e f", "b c d e f g h i"]
    references = [["c d"], ["f b g h i j k l m n c d"], ["i h g f k l m n"]]
    diagonal = np.diag(similarity_matrix(vectorizer, captions, references))
    assert diagonal[0] == 0.5 and diagonal[2] == 0.5


def test_references_without_any_word_raise():
    with pytest.raises(ValueError, match="No image .* Received: 2 images"):
        similarity_matrix(VECTORIZER, ["a dog", ""], [["?"], []])


def test_errors_name_the_invalid_argument():
    with pytest.raises(ValueError, match="max, mean, first. Received: 'median'"):
        similarity_matrix(VECTORIZER, ["a"], [["a"]], "median")
    with pytest.raises(ValueError, match="Received: 1 captions and 2 lists"):
        similarity_matrix(VECTORIZER, ["a"], [["a"], ["b"]])
