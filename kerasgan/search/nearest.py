"""Exact search for the largest inner products among many vectors.

Vectors are rotated, so that their leading dimensions hold most of their length. One
product with these dimensions gives every score up to an error that the norms of the
rest bound (Cauchy-Schwarz). Only rows that could be among the best are compared in the
next dimensions, and then in all, so that the result is that of a full product.
"""

import numpy as np

from kerasgan.search.index_files import IndexData

LEADING = 64  # dimensions
NEXT = 128  # dimensions
SAMPLE = 16  # rows that are compared first, for each row that is looked for
MIN_BLOCKS = 64  # of `best_positions`, for each row that is looked for
ROUNDING = 1e-5  # of float32 inner products of unit vectors
MAX_SHARE = 0.2  # of the rows; more are compared faster by a full product


def fit_rotation(vectors: np.ndarray) -> np.ndarray:
    """Finds the rotation that moves the length of vectors to the first dimensions.

    Args:
        vectors: unit vectors `(n, d)`, of training images.

    Returns:
        An orthogonal matrix, float32 `(d, d)`; `vectors @ rotation` is rotated.
    """
    vectors = np.asarray(vectors, np.float64)
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    return axes[:, ::-1].astype(np.float32)


def best_positions(scores: np.ndarray, count: int) -> np.ndarray:
    """Finds the largest values, the largest first, the first of equal ones first.

    Args:
        scores: float `(n,)` without NaN.
        count: how many are returned at most.

    Returns:
        int `(min(count, n),)`.
    """
    count = min(count, len(scores))
    if not count:
        return np.empty(0, np.int64)
    size = len(scores) // (MIN_BLOCKS * count)
    if size > 1:
        # The maxima of disjoint blocks: `count` scores are at least as large as the
        # count-th largest maximum. This is faster than a partition of all scores.
        maxima = scores[: len(scores) // size * size].reshape(-1, size).max(axis=1)
        bound = np.partition(maxima, len(maxima) - count)[len(maxima) - count]
    else:
        bound = np.partition(scores, len(scores) - count)[len(scores) - count]
    positions = np.flatnonzero(scores >= bound)
    order = np.argsort(-scores[positions], kind="stable")
    return positions[order[:count]]


def nearest_rows(
    data: IndexData, query: np.ndarray, bias: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the rows with the largest sum of inner product and bias.

    Args:
        data: the vectors.
        query: a rotated vector, float32 `(d,)`.
        bias: float32 `(n,)`, is added to the inner products.
        count: how many rows are returned at most.

    Returns:
        Row numbers, the best first, and their sums.
    """
    split = data.leading.shape[1]
    scores = data.leading @ query[:split]
    scores += bias
    rest = query[split:]
    rows, exact = _compare_candidates(data, scores, rest, count)
    if rows is None:
        scores += data.trailing @ rest
        rows = best_positions(scores, count)
        return rows, scores[rows]
    order = best_positions(exact, count)
    return rows[order], exact[order]


def _compare_candidates(data, scores, rest, count):
    """Returns the rows that could be among the best and their sums, or None twice."""
    if len(scores) <= SAMPLE * count:
        return None, None
    rows = best_positions(scores, SAMPLE * count)
    sums = scores[rows] + data.trailing[rows] @ rest
    threshold = np.partition(sums, -count)[-count] - ROUNDING
    bounds = data.residuals * np.float32(np.linalg.norm(rest))
    bounds += scores
    rows = np.flatnonzero(bounds >= threshold)
    if len(rows) > MAX_SHARE * len(scores):
        return None, None
    sums = scores[rows] + data.trailing[rows, :NEXT] @ rest[:NEXT]
    slack = data.tails[rows] * np.float32(np.linalg.norm(rest[NEXT:]))
    is_candidate = sums + slack >= threshold
    rows, sums = rows[is_candidate], sums[is_candidate]
    return rows, sums + data.trailing[rows, NEXT:] @ rest[NEXT:]
