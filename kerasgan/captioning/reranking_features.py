"""Features of candidate captions, by which they are reranked."""

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from kerasgan.captioning.token_tfidf import tfidf_vectors
from kerasgan.captioning.tokens import UNKNOWN, caption_lengths

if TYPE_CHECKING:
    from kerasgan.captioning.caption_store import CaptionStore

NUM_NEIGHBORS = (10, 50, 200)  # training images whose captions are compared
FEATURES = (
    *(f"consensus_{count}" for count in NUM_NEIGHBORS),
    *("cosine", "log_likelihood", "length", "minimum_bayes_risk", "genericness"),
    "cider",
)
# Chosen by hand; used until weights are fitted.
HAND_WEIGHTS = {"consensus_50": 1.0, "cosine": 1.0, "log_likelihood": 0.5}
DEFAULT_WEIGHTS = np.array([HAND_WEIGHTS.get(name, 0.0) for name in FEATURES])
INVERSE_TEMPERATURE = 20.0  # of the softmax over cosines in the minimum Bayes risk
CIDER_NEIGHBORS = 30  # training images whose captions are references of CIDEr-D
CIDER_CAPTIONS = 2  # captions of each of them
CHUNK_SIZE = 20  # images whose CIDEr-D is computed at once


def reranking_features(
    store: "CaptionStore",
    token_ids: np.ndarray,
    vectors: np.ndarray,
    cosines: np.ndarray,
    log_likelihoods: np.ndarray,
) -> np.ndarray:
    """Computes the features of candidates, as z-scores within an image.

    In the order of `FEATURES`: TF-IDF cosine with the captions of the 10, 50 and 200
    most similar training images (consensus, Devlin et al. 2015,
    https://arxiv.org/abs/1505.04467); the dual encoder's cosine; the captioner's
    log-likelihood; the length; the TF-IDF cosine with the other candidates, weighted by
    their cosines (minimum Bayes risk, Kumar & Byrne 2004); the TF-IDF cosine with the
    captions of all training images; and CIDEr-D with captions of the 30 most similar
    training images.

    Args:
        store: the captions of the training images.
        token_ids: of k candidates an image, int `(n, k, length)`, without the start
            token.
        vectors: of the images, `(n, d)`.
        cosines: of candidates and their image, `(n, k)`.
        log_likelihoods: per word, `(n, k)`.

    Returns:
        `(n, k, features)`.
    """
    tfidf = tfidf_vectors(token_ids.reshape(-1, token_ids.shape[-1]), store.idf)
    order = np.argsort(-vectors @ store.vectors.T, axis=1)
    neighbors = store.token_ids[order[:, :CIDER_NEIGHBORS], :CIDER_CAPTIONS]
    references = neighbors.reshape(len(neighbors), -1, neighbors.shape[-1])
    values = [
        *(_consensus(store, tfidf, order[:, :count]) for count in NUM_NEIGHBORS),
        cosines,
        log_likelihoods,
        caption_lengths(token_ids),
        _minimum_bayes_risk(tfidf, cosines),
        np.asarray(tfidf @ store.tfidf.mean(axis=0).T),
        candidate_cider(store, token_ids, references),
    ]
    return np.stack([_z_scores(x.reshape(cosines.shape)) for x in values], axis=-1)


def candidate_cider(
    store: "CaptionStore", token_ids: np.ndarray, references: np.ndarray
) -> np.ndarray:
    """Computes CIDEr-D of candidates.

    Args:
        store: the captions of the training images.
        token_ids: candidates, int `(n, k, length)`, without the start token.
        references: captions `(n, j, length)`, with the start token.

    Returns:
        `(n, k)`.
    """
    # CIDEr-D skips the first token, whatever it is.
    padded = np.pad(token_ids, ((0, 0), (0, 0), (1, 0)), constant_values=UNKNOWN)
    scores = [
        store.cider_reward(
            padded[start : start + CHUNK_SIZE], references[start : start + CHUNK_SIZE]
        ).numpy()
        for start in range(0, len(padded), CHUNK_SIZE)
    ]
    return np.concatenate(scores)


def _consensus(store, tfidf, nearest):
    """Mean TF-IDF cosine `(n * k,)` with the captions of the nearest images."""
    count, num_neighbors = nearest.shape
    shape = (count, len(store.vectors))
    rows = np.repeat(np.arange(count), num_neighbors)
    selection = sparse.csr_matrix((np.ones(rows.size), (rows, nearest.ravel())), shape)
    means = selection @ store.tfidf / num_neighbors
    images = np.repeat(np.arange(count), tfidf.shape[0] // count)
    return np.asarray(tfidf.multiply(means[images]).sum(axis=1)).ravel()


def _minimum_bayes_risk(tfidf, cosines):
    """Weighted TF-IDF cosine `(n, k)` of each candidate with those of its image."""
    num_candidates = cosines.shape[1]
    weights = np.exp(
        INVERSE_TEMPERATURE * (cosines - cosines.max(axis=1, keepdims=True))
    )
    weights /= weights.sum(axis=1, keepdims=True)
    scores = np.empty(cosines.shape)
    for image in range(len(cosines)):
        start = image * num_candidates
        candidates = tfidf[start : start + num_candidates]
        scores[image] = (candidates @ candidates.T) @ weights[image]
    return scores


def _z_scores(values):
    """z-scores within each image's candidates."""
    centerd = values - values.mean(axis=1, keepdims=True)
    return centerd / (values.std(axis=1, keepdims=True) + 1e-6)
