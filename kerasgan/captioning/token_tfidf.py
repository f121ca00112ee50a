"""TF-IDF vectors of token ids."""

import numpy as np
from scipy import sparse

from kerasgan.captioning.tokens import END, UNKNOWN


def inverse_document_frequencies(
    token_ids: np.ndarray, vocabulary_size: int, start_id: int
) -> np.ndarray:
    """Computes smooth inverse document frequencies, as scikit-learn does.

    Args:
        token_ids: int `(n, k, length)`, all zero where an image has fewer captions.
        vocabulary_size: number of token ids.
        start_id: the start token.

    Returns:
        float64 `(vocabulary_size,)`, zero for tokens that are no words.
    """
    captions = token_ids.reshape(-1, token_ids.shape[-1])
    captions = captions[captions[:, 0] != END]
    rows = np.repeat(np.arange(len(captions)), captions.shape[1])
    words = np.unique(np.stack([rows, captions.ravel()]), axis=1)[1]
    document_frequency = np.bincount(words, minlength=vocabulary_size)
    idf = np.log((1 + len(captions)) / (1 + document_frequency)) + 1
    idf[[END, UNKNOWN, start_id]] = 0
    return idf


def tfidf_vectors(token_ids: np.ndarray, idf: np.ndarray) -> sparse.csr_matrix:
    """Computes TF-IDF vectors of length 1.

    Args:
        token_ids: int `(n, length)`.
        idf: `(vocabulary_size,)`, see `inverse_document_frequencies`.

    Returns:
        Sparse `(n, vocabulary_size)`.
    """
    rows = np.repeat(np.arange(len(token_ids)), token_ids.shape[1])
    columns = token_ids.ravel()
    shape = (len(token_ids), len(idf))
    vectors = sparse.csr_matrix((idf[columns], (rows, columns)), shape)
    norms = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1))).ravel()
    return sparse.diags(1 / np.maximum(norms, 1e-9)) @ vectors
