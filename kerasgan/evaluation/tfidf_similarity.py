"""Similarity of texts by paper A's equation (5), the cosine of TF-IDF vectors.

The references of an image are a list of str. A reference without a word is ignored. An
image without references has no similarity (NaN); a caption without a known word has the
similarity 0.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Protocol

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from kerasgan.evaluation.caption_words import normalize_caption, normalize_references

CHUNK_SIZE = 512  # captions that are compared at once
DECIMALS = 12  # rounding errors must not break ties or miss a threshold
REDUCTIONS = ("max", "mean", "first")


class TextEmbedding(Protocol):
    """Transforms texts to unit vectors."""

    def transform(self, raw_documents: Iterable[str]) -> np.ndarray | sparse.spmatrix:
        """Returns a dense or sparse array `(n, d)` for n texts."""
        ...


def fit_tfidf(train_captions: Iterable[str]) -> TfidfVectorizer:
    """Fits TF-IDF on the words of training captions.

    The weight of a word is its count times ln((1 + n) / (1 + document frequency)) + 1,
    and vectors are scaled to norm 1. Words of one letter count, and there are no stop
    words.

    Args:
        train_captions: captions of the training split alone.

    Returns:
        A fitted `TfidfVectorizer`.
    """
    vectorizer = TfidfVectorizer(
        preprocessor=normalize_caption, tokenizer=str.split, token_pattern=None
    )
    return vectorizer.fit(train_captions)


def similarity_matrix(
    vectorizer: TextEmbedding,
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
    reduction: str = "max",
) -> np.ndarray:
    """Computes the similarity of every caption to every image.

    Args:
        vectorizer: the result of `fit_tfidf`, or another object whose `transform`
            converts texts to unit vectors.
        captions: n captions, one for each image.
        references: n lists of references.
        reduction: how the similarities to the references of an image are reduced:
            `"max"`, `"mean"`, or `"first"`, that of the first reference.

    Returns:
        float64 `(n, n)`, a row for each caption and a column for each image, in [0, 1]
        with TF-IDF. A caption and its own image are on the diagonal. Row and column of
        an image without references are NaN.

    Raises:
        ValueError: the numbers of captions and of lists differ, no image has a
            reference, or `reduction` is unknown.
    """
    if len(captions) != len(references):
        raise ValueError(
            "Every image needs one caption and a list of references. Received: "
            f"{len(captions)} captions and {len(references)} lists."
        )
    reference_vectors, counts = _embed_references(vectorizer, references)
    known_rows = np.flatnonzero(counts)
    caption_vectors = vectorizer.transform(captions)
    matrix = np.full((len(captions), len(captions)), np.nan)
    for start in range(0, len(known_rows), CHUNK_SIZE):
        rows = known_rows[start : start + CHUNK_SIZE]
        cosines = caption_vectors[rows] @ reference_vectors.T
        if sparse.issparse(cosines):
            cosines = cosines.toarray()
        matrix[np.ix_(rows, known_rows)] = _reduce(
            cosines, counts[known_rows], reduction
        )
    return matrix


def _embed_references(vectorizer, references):
    """Returns the vectors of all references, and their number for each image."""
    references = normalize_references(references)
    counts = np.array([len(captions) for captions in references], np.int64)
    if not counts.any():
        raise ValueError(
            f"No image has a reference with a word. Received: {len(counts)} images."
        )
    return vectorizer.transform(chain.from_iterable(references)), counts


def _reduce(cosines, counts, reduction):
    """Reduces the last axis, which has `counts[i]` values of the i-th image."""
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"reduction must be one of {', '.join(REDUCTIONS)}. Received: {reduction!r}"
        )
    starts = np.cumsum(counts) - counts
    if reduction == "first":
        reduced = cosines[..., starts]
    elif reduction == "max":
        reduced = np.maximum.reduceat(cosines, starts, axis=-1)
    else:
        reduced = np.add.reduceat(cosines, starts, axis=-1) / counts
    return reduced.round(DECIMALS)
