"""How alike texts are by paper A's equation (5): the cosine of TF-IDF vectors.

An image's references are lists of str. One without a word is none; an image
without references has no similarity (NaN), while a caption without a known word has
one: 0.
"""

from itertools import chain

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from kerasgan.evaluation.caption_words import normalize_caption, normalize_references

CHUNK = 512  # captions compared at a time
DIGITS = 12  # kept, so that rounding neither breaks a tie nor misses a threshold
REDUCTIONS = ("max", "mean", "first")


def fit_tfidf(train_captions):
    """Fits TF-IDF on the words of training captions.

    Word counts times ln((1 + n) / (1 + document frequency)) + 1, scaled to length 1;
    words of one letter count, and no word is left out as too common.

    Args:
        train_captions: sequence of str, captions of the training split alone.

    Returns:
        A fitted `TfidfVectorizer`.
    """
    vectorizer = TfidfVectorizer(
        preprocessor=normalize_caption, tokenizer=str.split, token_pattern=None
    )
    return vectorizer.fit(train_captions)


def similarity_matrix(vectorizer, captions, references, reduction="max"):
    """Similarity of every caption to every image.

    Args:
        vectorizer: as `fit_tfidf` gave it, or anything whose `transform` turns a list
            of str into unit vectors.
        captions: n str, the i-th of the i-th image.
        references: n lists of str.
        reduction: of the similarities to an image's references: their "max", their
            "mean", or the "first" alone.

    Returns:
        float64 `(n, n)` in [0, 1]: captions down, images across, so that a caption
        meets its own image on the diagonal. Row and column of an image without
        references are NaN.
    """
    if len(captions) != len(references):
        raise ValueError(
            "Every image needs one caption and a list of references. Received: "
            f"{len(captions)} captions and {len(references)} lists."
        )
    vectors, counts = _reference_vectors(vectorizer, references)
    known = np.flatnonzero(counts)
    caption_vectors = vectorizer.transform(captions)
    matrix = np.full((len(captions), len(captions)), np.nan)
    for start in range(0, len(known), CHUNK):
        rows = known[start : start + CHUNK]
        cosines = caption_vectors[rows] @ vectors.T
        if sparse.issparse(cosines):
            cosines = cosines.toarray()
        matrix[np.ix_(rows, known)] = _reduced(cosines, counts[known], reduction)
    return matrix


def _reference_vectors(vectorizer, references):
    """One row a reference, image after image, and how many each image has."""
    references = normalize_references(references)
    counts = np.array([len(captions) for captions in references], np.int64)
    if not counts.any():
        raise ValueError(
            f"No image has a reference with a word. Received: {len(counts)} images."
        )
    return vectorizer.transform(chain.from_iterable(references)), counts


def _reduced(cosines, counts, reduction):
    """Reduces the last axis, which holds `counts[i]` values of the i-th image."""
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
    return reduced.round(DIGITS)
