"""Fits the weights by which candidate captions are reranked."""

import numpy as np

from kerasgan.captioning.caption_store import CaptionStore
from kerasgan.captioning.reranking_features import DEFAULT_WEIGHTS, candidate_cider
from kerasgan.captioning.token_tfidf import tfidf_vectors

REGULARIZATION = 500.0  # candidates that the weights chosen by hand count as
NUM_NEGATIVES = 60  # other images that a caption should not match
CIDER_WEIGHT = 0.4  # of CIDEr-D beside the TF-IDF cosine


def candidate_quality(
    store: CaptionStore, token_ids: np.ndarray, references: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Computes how much better candidates match their own image than others.

    The TF-IDF cosine with the most similar of the image's captions, less the mean of
    the same with the captions of other images, and a share of CIDEr-D, which also
    counts the order of words.

    Args:
        store: the captions of the training images.
        token_ids: candidates, int `(n, k, length)`, without the start token.
        references: captions of the images, int `(n, j, length)`.
        seed: of the choice of other images.

    Returns:
        `(n, k)`.
    """
    count, num_candidates = token_ids.shape[:2]
    tfidf = tfidf_vectors(token_ids.reshape(-1, token_ids.shape[-1]), store.idf)
    reference_tfidf = [tfidf_vectors(captions, store.idf) for captions in references]
    quality = np.empty((count, num_candidates))
    for image, captions in enumerate(reference_tfidf):
        start = image * num_candidates
        candidates = tfidf[start : start + num_candidates]
        quality[image] = _best_cosine(candidates, captions)
    negatives = np.random.default_rng(seed).permutation(count)[:NUM_NEGATIVES]
    total = np.zeros((count, num_candidates))
    for image in negatives:
        cosines = _best_cosine(tfidf, reference_tfidf[image])
        cosines = cosines.reshape(count, num_candidates)
        cosines[image] = 0  # an image is no negative of itself
        total += cosines
    num_negatives = len(negatives) - np.isin(np.arange(count), negatives)
    quality -= total / np.maximum(num_negatives, 1)[:, None]
    return quality + CIDER_WEIGHT * candidate_cider(store, token_ids, references)


def _best_cosine(tfidf, references):
    return (tfidf @ references.T).max(axis=1).toarray().ravel()


def fit_feature_weights(features: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """Fits weights by ridge regression towards the weights chosen by hand.

    Args:
        features: `(n, k, features)`, see `reranking_features`.
        quality: `(n, k)`, see `candidate_quality`.

    Returns:
        float64 `(features,)`.
    """
    features = features.reshape(-1, features.shape[-1])
    targets = (quality - quality.mean(axis=1, keepdims=True)).ravel()
    default = features @ DEFAULT_WEIGHTS
    scale = max(default @ targets, 0) / max(default @ default, 1e-9)
    residual = features.T @ (targets - scale * default)
    gram = features.T @ features + REGULARIZATION * np.eye(features.shape[1])
    return scale * DEFAULT_WEIGHTS + np.linalg.solve(gram, residual)
