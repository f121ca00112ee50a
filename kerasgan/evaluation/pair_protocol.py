"""Whether a similarity tells matching pairs from others: paper A's protocol.

A matrix is float `(n, n)` as `similarity.similarity_matrix` gives it: captions down,
images across, matched pairs on the diagonal. Images whose diagonal is NaN are
left out and counted. The paper names true and false negatives but no mismatched
pairs; ours are captions dealt out anew so that none keeps its image.
"""

import numpy as np

from kerasgan.papers import A_THRESHOLD


def derangements(n, count, seed=0):
    """Draws permutations without a fixed point, all equally likely.

    Args:
        n: length, at least 2.
        count: how many.
        seed: of the drawing.

    Returns:
        int64 `(count, n)`.
    """
    _check_pairs(n)
    random = np.random.default_rng(seed)
    drawn = []
    while len(drawn) < count:  # about one draw in e is kept
        order = random.permutation(n)
        if not (order == np.arange(n)).any():
            drawn.append(order)
    return np.array(drawn, np.int64).reshape(count, n)


def _check_pairs(images):
    if images < 2:
        raise ValueError(
            "Mismatched pairs need at least two images with references. "
            f"Received: {images}"
        )


def images_with_references(matrix):
    """The matrix without the rows and columns of images without references."""
    known = ~np.isnan(np.diag(matrix))
    return np.asarray(matrix)[np.ix_(known, known)]


def matched_and_mismatched(matrix, derangement_count=10, seed=0):
    """Scores of matched pairs and of equally many mismatched ones.

    Returns:
        Two arrays `(derangement_count * images,)`; matched scores repeat.
    """
    matrix = images_with_references(matrix)
    orders = derangements(len(matrix), derangement_count, seed)
    matched = np.tile(np.diag(matrix), derangement_count)
    return matched, matrix[np.arange(len(matrix)), orders].ravel()


def confusion_counts(matched, mismatched, threshold):
    """Counts pairs, positive where the score is at least the threshold.

    Returns:
        `{"threshold", "tp", "fp", "fn", "tn", "precision", "recall", "f1",
        "accuracy"}`, three of them by the paper's equations (6) to (8); 0.0 where there
        is nothing to divide by.
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


def _ratio(part, whole):
    return part / whole if whole else 0.0


def best_threshold(matched, mismatched):
    """The threshold of the highest accuracy.

    Tried are all scores and the middles between neighbours, not a threshold that
    nothing reaches. Of several equally good ones the middle one is taken, the lower
    middle of an even number: between two scores this is half-way.

    Args:
        matched, mismatched: scores, as `pairs` gives them.
    """
    matched, mismatched = np.sort(matched), np.sort(mismatched)
    tried = np.unique(np.concatenate([matched, mismatched]))
    tried = np.union1d(tried, (tried[1:] + tried[:-1]) / 2)
    found = len(matched) - np.searchsorted(matched, tried)
    rejected = np.searchsorted(mismatched, tried)
    best = tried[found + rejected == (found + rejected).max()]
    return float(best[(len(best) - 1) // 2])


def fit_threshold(matrix, bootstrap=100, derangement_count=10, seed=0):
    """The threshold for the test split, from the validation split's similarities.

    Near its top accuracy hardly changes with the threshold, and which one is best is a
    matter of a few pairs: the best ones of many draws of images, with replacement,
    are averaged (bagging; Breiman 1996, "Bagging predictors").

    Args:
        matrix: at least two images with references.
        bootstrap: number of draws, at least 1.
        derangement_count: how often the mismatched pairs are dealt.
        seed: of the dealing and of the drawing.
    """
    matrix = images_with_references(matrix)
    orders = derangements(len(matrix), derangement_count, seed)
    random = np.random.default_rng(seed)
    found = []
    for _ in range(bootstrap):
        drawn = random.integers(len(matrix), size=len(matrix))
        matched = np.tile(np.diag(matrix)[drawn], derangement_count)
        mismatched = matrix[drawn, orders[:, drawn]].ravel()
        found.append(best_threshold(matched, mismatched))
    return float(np.mean(found))


def auc(matrix, bootstrap=200, seed=0):
    """Area under the ROC curve of all matched against all mismatched pairs.

    The chance that a matched pair scores higher than a mismatched one, a tie being
    half. The interval draws images with replacement, each with its row and its
    column; a caption and another copy of its own image make no mismatched pair.

    Args:
        matrix: at least two images with references.
        bootstrap: number of draws, at least 1.
        seed: of the drawing.

    Returns:
        The area, and the 2.5th and the 97.5th percentile over the draws.
    """
    matrix = images_with_references(matrix)
    _check_pairs(len(matrix))
    order = np.argsort(np.diag(matrix))
    matched = np.diag(matrix)[order]
    lower = np.searchsorted(matched, matrix, side="left")
    lower_or_tied = np.searchsorted(matched, matrix, side="right")

    def area(weights):
        sums = np.concatenate([[0], np.cumsum(weights[order])])
        beaten = sums[-1] - (sums[lower] + sums[lower_or_tied]) / 2
        np.fill_diagonal(beaten, 0)
        mismatched = sums[-1] ** 2 - (weights**2).sum()
        return float(weights @ beaten @ weights / (sums[-1] * mismatched))

    random = np.random.default_rng(seed)
    areas = [area(_draw(random, len(matrix))) for _ in range(bootstrap)]
    low, high = np.percentile(areas, [2.5, 97.5])
    return area(np.ones(len(matrix))), float(low), float(high)


def _draw(random, n):
    """How often each image is drawn `(n,)`; never one image alone."""
    while True:
        weights = np.bincount(random.integers(n, size=n), minlength=n)
        if weights.max() < n:
            return weights.astype(np.float64)


def judge_at_threshold(test_matrix, threshold, derangement_count=10, seed=0):
    """All of the protocol's figures for the test images.

    Args:
        test_matrix: similarities of the test split's captions.
        threshold: from `fit_threshold`.
        derangement_count: how often the mismatched pairs are dealt.
        seed: of the dealing and of the interval.

    Returns:
        `{"images", "missing", "pairs", "derangements", "auc", "auc_low",
        "auc_high", "at_half", "at_validated", "strict"}`. `pairs` are those of one
        derangement; the cells of `at_half` and `at_validated` are sums over all.
        `strict` counts matched pairs alone, at 0.5, as the paper's words have it:
        precision is then 1 wherever anything is found, and accuracy is recall.
    """
    matched, mismatched = matched_and_mismatched(test_matrix, derangement_count, seed)
    images = len(images_with_references(test_matrix))
    area, low, high = auc(test_matrix, seed=seed)
    return {
        "images": images,
        "missing": len(test_matrix) - images,
        "pairs": 2 * images,
        "derangements": derangement_count,
        **{"auc": area, "auc_low": low, "auc_high": high},
        "at_half": confusion_counts(matched, mismatched, A_THRESHOLD),
        "at_validated": confusion_counts(matched, mismatched, threshold),
        "strict": confusion_counts(matched[:images], [], A_THRESHOLD),
    }
