"""Paper A's protocol: does a similarity separate matched pairs from mismatched ones?

A matrix is float `(n, n)`, the result of `similarity_matrix`: a row for each caption
and a column for each image, with the matched pairs on the diagonal. Images whose
diagonal is NaN are left out and counted. The paper counts true and false negatives but
does not say what its mismatched pairs are; here they are captions that are permuted so
that none keeps its image.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasgan.papers import A_THRESHOLD

ScoreArray = np.ndarray | Sequence[float]


def derangements(n: int, count: int, seed: int = 0) -> np.ndarray:
    """Draws permutations without a fixed point, all with the same probability.

    Args:
        n: length, at least 2.
        count: number of permutations.
        seed: seed of the draws.

    Returns:
        int64 `(count, n)`.

    Raises:
        ValueError: n is less than 2.
    """
    _require_two_images(n)
    random = np.random.default_rng(seed)
    orders: list[np.ndarray] = []
    while len(orders) < count:  # about one draw in e is accepted
        order = random.permutation(n)
        if not (order == np.arange(n)).any():
            orders.append(order)
    return np.array(orders, np.int64).reshape(count, n)


def _require_two_images(num_images):
    if num_images < 2:
        raise ValueError(
            "Mismatched pairs need at least two images with references. "
            f"Received: {num_images}"
        )


def images_with_references(matrix: np.ndarray) -> np.ndarray:
    """Removes the rows and columns of images without references.

    Args:
        matrix: similarities `(n, n)`.

    Returns:
        Similarities `(m, m)` without NaN.
    """
    has_references = ~np.isnan(np.diag(matrix))
    return np.asarray(matrix)[np.ix_(has_references, has_references)]


def matched_and_mismatched(
    matrix: np.ndarray, num_derangements: int = 10, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Selects the scores of matched pairs and of equally many mismatched pairs.

    Args:
        matrix: similarities `(n, n)`, at least two images with references.
        num_derangements: number of derangements.
        seed: seed of the derangements.

    Returns:
        Matched and mismatched scores, each `(num_derangements * m,)` for m images with
        references. The matched scores are repeated.

    Raises:
        ValueError: fewer than two images have references.
    """
    matrix = images_with_references(matrix)
    orders = derangements(len(matrix), num_derangements, seed)
    matched = np.tile(np.diag(matrix), num_derangements)
    return matched, matrix[np.arange(len(matrix)), orders].ravel()


def confusion_counts(
    matched: ScoreArray, mismatched: ScoreArray, threshold: float
) -> dict[str, Any]:
    """Counts pairs, which are positive if the score is at least the threshold.

    Args:
        matched: scores of matched pairs.
        mismatched: scores of mismatched pairs.
        threshold: the threshold.

    Returns:
        `threshold`, the counts `tp`, `fp`, `fn` and `tn`, and `precision`, `recall`,
        `f1` and `accuracy` (paper A, equations 6 to 8, except F1), 0.0 if the divisor
        is 0.
    """
    tp = int((np.asarray(matched) >= threshold).sum())
    fp = int((np.asarray(mismatched) >= threshold).sum())
    fn, tn = len(matched) - tp, len(mismatched) - fp
    return {
        "threshold": float(threshold),
        **{"tp": tp, "fp": fp, "fn": fn, "tn": tn},
        "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, tp + fn),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "accuracy": _ratio(tp + tn, tp + fp + fn + tn),
    }


def _ratio(numerator, denominator):
    return numerator / denominator if denominator else 0.0


def best_threshold(matched: ScoreArray, mismatched: ScoreArray) -> float:
    """Finds the threshold with the highest accuracy.

    Candidates are all scores and the means of consecutive scores, but no threshold
    above all scores. Of several best candidates, the middle one is returned, the lower
    middle of an even number. In a gap between two scores this is half-way.

    Args:
        matched: scores of matched pairs, see `matched_and_mismatched`.
        mismatched: scores of mismatched pairs.

    Returns:
        The threshold.
    """
    matched, mismatched = np.sort(matched), np.sort(mismatched)
    candidates = np.unique(np.concatenate([matched, mismatched]))
    candidates = np.union1d(candidates, (candidates[1:] + candidates[:-1]) / 2)
    num_accepted = len(matched) - np.searchsorted(matched, candidates)
    num_rejected = np.searchsorted(mismatched, candidates)
    num_correct = num_accepted + num_rejected
    best = candidates[num_correct == num_correct.max()]
    return float(best[(len(best) - 1) // 2])


def fit_threshold(
    matrix: np.ndarray,
    num_resamples: int = 100,
    num_derangements: int = 10,
    seed: int = 0,
) -> float:
    """Chooses the threshold for the test split on the validation split.

    Near its maximum, the accuracy hardly depends on the threshold, so that a few pairs
    decide which one is best. Therefore the best thresholds of many bootstrap samples of
    the images are averaged (bagging; Breiman 1996, "Bagging predictors").

    Args:
        matrix: similarities `(n, n)`, at least two images with references.
        num_resamples: number of bootstrap samples, at least 1.
        num_derangements: number of derangements for the mismatched pairs.
        seed: seed of the derangements and of the bootstrap samples.

    Returns:
        The threshold.

    Raises:
        ValueError: fewer than two images have references.
    """
    matrix = images_with_references(matrix)
    orders = derangements(len(matrix), num_derangements, seed)
    random = np.random.default_rng(seed)
    thresholds = []
    for _ in range(num_resamples):
        rows = random.integers(len(matrix), size=len(matrix))
        matched = np.tile(np.diag(matrix)[rows], num_derangements)
        mismatched = matrix[rows, orders[:, rows]].ravel()
        thresholds.append(best_threshold(matched, mismatched))
    return float(np.mean(thresholds))


def auc(matrix: np.ndarray) -> float:
    """Computes the area under the ROC curve of all matched and all mismatched pairs.

    It is the probability that a matched pair has a higher score than a mismatched one;
    a tie counts as half.

    Args:
        matrix: similarities `(n, n)`, at least two images with references.

    Raises:
        ValueError: fewer than two images have references.
    """
    matrix = images_with_references(matrix)
    return _weighted_auc(matrix)(np.ones(len(matrix)))


def auc_interval(
    matrix: np.ndarray, num_resamples: int = 200, seed: int = 0
) -> tuple[float, float]:
    """Computes a confidence interval of `auc`.

    Images are resampled with replacement, together with their row and column. A caption
    and another copy of its own image are not a mismatched pair.

    Args:
        matrix: similarities `(n, n)`, at least two images with references.
        num_resamples: number of bootstrap samples, at least 1.
        seed: seed of the bootstrap samples.

    Returns:
        The 2.5th and the 97.5th percentile of the area over the bootstrap samples.

    Raises:
        ValueError: fewer than two images have references.
    """
    matrix = images_with_references(matrix)
    area, random = _weighted_auc(matrix), np.random.default_rng(seed)
    areas = [area(_resample(random, len(matrix))) for _ in range(num_resamples)]
    low, high = np.percentile(areas, [2.5, 97.5])
    return float(low), float(high)


def _weighted_auc(matrix):
    """A function from the weights `(n,)` of the images to the area."""
    _require_two_images(len(matrix))
    order = np.argsort(np.diag(matrix))
    matched = np.diag(matrix)[order]
    num_lower = np.searchsorted(matched, matrix, side="left")
    num_lower_or_tied = np.searchsorted(matched, matrix, side="right")

    def weighted_area(weights):
        sums = np.concatenate([[0], np.cumsum(weights[order])])
        wins = sums[-1] - (sums[num_lower] + sums[num_lower_or_tied]) / 2
        np.fill_diagonal(wins, 0)
        num_mismatched = sums[-1] ** 2 - (weights**2).sum()
        return float(weights @ wins @ weights / (sums[-1] * num_mismatched))

    return weighted_area


def _resample(random, n):
    """Returns how often each image is drawn `(n,)`; at least two different ones are."""
    while True:
        weights = np.bincount(random.integers(n, size=n), minlength=n)
        if weights.max() < n:
            return weights.astype(np.float64)


def evaluate_at_threshold(
    test_matrix: np.ndarray,
    threshold: float,
    num_derangements: int = 10,
    seed: int = 0,
) -> dict[str, Any]:
    """Computes all metrics of the protocol for the test images.

    Args:
        test_matrix: similarities `(n, n)` of the test captions, at least two images
            with references.
        threshold: the result of `fit_threshold` on the validation split.
        num_derangements: number of derangements for the mismatched pairs.
        seed: seed of the derangements and of the confidence interval.

    Returns:
        A dict with these keys.

        - `images`, `missing`: numbers of images with and without references.
        - `pairs`: number of pairs of one derangement.
        - `derangements`: number of derangements.
        - `auc`, `auc_low`, `auc_high`: see `auc` and `auc_interval`.
        - `at_half`, `at_validated`: `confusion_counts` at paper A's threshold, 0.5, and
          at `threshold`, summed over the derangements.
        - `strict`: `confusion_counts` at 0.5 of the matched pairs alone, which is what
          the paper's text literally describes. Its precision is 1 if any score is
          positive, and its accuracy equals its recall.

    Raises:
        ValueError: fewer than two images have references.
    """
    matched, mismatched = matched_and_mismatched(test_matrix, num_derangements, seed)
    num_images = len(images_with_references(test_matrix))
    low, high = auc_interval(test_matrix, seed=seed)
    return {
        "images": num_images,
        "missing": len(test_matrix) - num_images,
        "pairs": 2 * num_images,
        "derangements": num_derangements,
        **{"auc": auc(test_matrix), "auc_low": low, "auc_high": high},
        "at_half": confusion_counts(matched, mismatched, A_THRESHOLD),
        "at_validated": confusion_counts(matched, mismatched, threshold),
        "strict": confusion_counts(matched[:num_images], [], A_THRESHOLD),
    }
