"""Hubness correction for retrieval."""

import numpy as np
from scipy import special

QUERY_BANK_SIZE = 2000  # training images, or captions
INVERSE_TEMPERATURE = 20.0
CHUNK_SIZE = 1024  # vectors at once


def query_bank(vectors: np.ndarray) -> np.ndarray:
    """Picks at most `QUERY_BANK_SIZE` rows, at even distances.

    Args:
        vectors: `(n, ...)`.
    """
    return vectors[:: -(-len(vectors) // QUERY_BANK_SIZE)]


def hubness(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Computes how close vectors are to everything of the other modality.

    Some captions are close to all images, and some images to all captions. Retrieval
    improves when this is subtracted from cosines (inverted softmax, Smith et al. 2017,
    https://arxiv.org/abs/1702.03859; with a bank of training queries, Bogolin et al.
    2022, https://arxiv.org/abs/2112.12777). No test query is used.

    Args:
        vectors: unit vectors `(n, d)`.
        queries: unit vectors of the training images or captions, `(m, d)`; at most
            `QUERY_BANK_SIZE` of them are used.

    Returns:
        The soft maximum of the cosines, `(n,)`.
    """
    bank = query_bank(queries).T
    chunks = np.array_split(vectors, 1 + len(vectors) // CHUNK_SIZE)
    maxima = [
        special.logsumexp(INVERSE_TEMPERATURE * chunk @ bank, axis=1)
        for chunk in chunks
    ]
    return np.concatenate(maxima) / INVERSE_TEMPERATURE
