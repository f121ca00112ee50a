"""Retrieval metrics of images by their captions, and of captions by their image.

A similarity is float `(n, m)`, a row for each image and a column for each caption;
higher is more similar. `owners` is int `(m,)`, the row of each caption's image. Ranks
begin at 1.
"""

from collections.abc import Iterable, Sequence
from math import comb
from typing import Any

import numpy as np

CHUNK_SIZE = 256  # queries that are ranked at once
DEPTHS = (1, 5, 10)  # K of recall at K


def retrieval_scores(
    image_vectors: np.ndarray, text_vectors: np.ndarray, owners: np.ndarray
) -> dict[str, Any]:
    """Computes retrieval metrics by the dot product of vectors.

    Args:
        image_vectors: float `(n, d)`; unit vectors for the cosine.
        text_vectors: float `(m, d)`.
        owners: int `(m,)`.

    Returns:
        See `scores_from_similarity`.

    Raises:
        ValueError: see `ranks_from_similarity`.
    """
    similarity = np.asarray(image_vectors) @ np.asarray(text_vectors).T
    return scores_from_similarity(similarity, owners)


def scores_from_similarity(
    similarity: np.ndarray | Sequence[Sequence[float]],
    owners: np.ndarray | Sequence[int],
) -> dict[str, Any]:
    """Computes retrieval metrics, and those expected of a random ranking.

    Args:
        similarity: float `(n, m)` without NaN.
        owners: int `(m,)`.

    Returns:
        A dict with these keys.

        - `image_to_text`, `text_to_image`: `r1`, `r5` and `r10`, the percentage of
          queries whose rank is at most 1, 5 and 10, and `median_rank`.
        - `images`, `captions`: their numbers.
        - `missing`: number of images without a caption, which are candidates but not
          queries.
        - `chance`: expected `r1`, `r5` and `r10` of a random ranking, in both
          directions.

    Raises:
        ValueError: see `ranks_from_similarity`.
    """
    image_ranks, caption_ranks = ranks_from_similarity(similarity, owners)
    num_images, num_captions = np.shape(similarity)
    counts = np.bincount(owners, minlength=num_images)
    return {
        "image_to_text": _recalls(image_ranks[counts > 0]),
        "text_to_image": _recalls(caption_ranks),
        "images": num_images,
        "captions": num_captions,
        "missing": int((counts == 0).sum()),
        "chance": {
            "image_to_text": _expected_recalls(counts[counts > 0], num_captions),
            "text_to_image": _expected_recalls([1], num_images),
        },
    }


def ranks_from_similarity(
    similarity: np.ndarray | Sequence[Sequence[float]],
    owners: np.ndarray | Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Computes the rank of each image's best caption, and of each caption's image.

    A tie has the rank expected of a random order: 1, plus the number of better
    candidates, plus t / (1 + c) for t other candidates and c correct ones in the tie.
    A constant similarity therefore ranks in the middle.

    Args:
        similarity: float `(n, m)` without NaN.
        owners: int `(m,)`.

    Returns:
        float64 `(n,)`, NaN for an image without a caption, and float64 `(m,)`.

    Raises:
        ValueError: the owners do not suit the similarity, or a similarity is NaN.
    """
    similarity, owners = np.asarray(similarity), np.asarray(owners)
    images, captions = similarity.shape
    if owners.shape != (captions,) or not np.isin(owners, np.arange(images)).all():
        raise ValueError(
            f"owners must be a row of one of {images} images for each of {captions} "
            f"captions. Received: shape {owners.shape}, values {owners}"
        )
    if np.isnan(similarity).any():
        raise ValueError(
            "Similarities that are NaN cannot be ranked. "
            f"Received: {np.isnan(similarity).sum()} of {similarity.size}"
        )
    return (
        _ranks(similarity, np.arange(images), owners),
        _ranks(similarity.T, owners, np.arange(images)),
    )


def _ranks(similarity, query_images, candidate_images):
    """Returns the best rank of the candidates that have the image of the query."""
    ranks = np.full(len(similarity), np.nan)
    for start in range(0, len(similarity), CHUNK_SIZE):
        rows = slice(start, start + CHUNK_SIZE)
        scores = similarity[rows]
        is_correct = query_images[rows, None] == candidate_images
        best = np.where(is_correct, scores, -np.inf).max(axis=1, keepdims=True)
        is_better, is_tied = scores > best, scores == best
        num_correct_tied = (is_tied & is_correct).sum(axis=1)
        num_others_tied = (is_tied & ~is_correct).sum(axis=1)
        ranks[rows] = np.where(
            is_correct.any(axis=1),
            1 + is_better.sum(axis=1) + num_others_tied / (1 + num_correct_tied),
            np.nan,
        )
    return ranks


def _recalls(ranks: np.ndarray) -> dict[str, float]:
    recalls = {f"r{depth}": 100 * float((ranks <= depth).mean()) for depth in DEPTHS}
    return {**recalls, "median_rank": float(np.median(ranks))}


def _expected_recalls(
    num_correct: Iterable[int], num_candidates: int
) -> dict[str, float]:
    """Returns recall at K in percent if K candidates are drawn at random.

    Args:
        num_correct: for each query the number of correct candidates.
        num_candidates: number of all candidates.

    Returns:
        `r1`, `r5` and `r10`.
    """

    def recall(correct, depth):
        depth = min(depth, num_candidates)
        misses = comb(num_candidates - correct, depth)
        return 1 - misses / comb(num_candidates, depth)

    return {
        f"r{depth}": 100
        * float(np.mean([recall(int(correct), depth) for correct in num_correct]))
        for depth in DEPTHS
    }
