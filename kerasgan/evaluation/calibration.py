"""How far the probabilities of a classifier can be believed."""

from typing import Any

import numpy as np

NUM_BINS = 15  # of equal width, as Guo et al. use


def calibration_scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Computes the expected calibration error and a reliability diagram.

    The confidence of a prediction is the probability of its class. In each bin of
    confidence, a calibrated classifier is right as often as it says. The error is the
    mean distance of accuracy and confidence over the bins, weighted by their numbers of
    pairs (Guo et al. 2017, "On Calibration of Modern Neural Networks",
    https://arxiv.org/abs/1706.04599, equation 3).

    Args:
        labels: true classes, int `(n,)`, with n at least 1.
        probabilities: of the classes, float `(n, classes)`.

    Returns:
        `ece`, in [0, 1]; and `reliability`, a list with the mean `confidence`, the
        `accuracy` and the number of `pairs` of each bin that is not empty.
    """
    confidences = probabilities.max(axis=1)
    is_correct = probabilities.argmax(axis=1) == labels
    # A confidence on an edge belongs to the lower bin, as in the paper.
    edges = np.linspace(0, 1, NUM_BINS + 1)[1:-1]
    bins = np.searchsorted(edges, confidences)
    counts = np.bincount(bins, minlength=NUM_BINS)
    confidence_sums = np.bincount(bins, confidences, NUM_BINS)
    num_correct = np.bincount(bins, is_correct, NUM_BINS)
    return {
        "ece": float(np.abs(num_correct - confidence_sums).sum() / len(labels)),
        "reliability": [
            {
                "confidence": float(confidence_sums[index] / counts[index]),
                "accuracy": float(num_correct[index] / counts[index]),
                "pairs": int(counts[index]),
            }
            for index in np.flatnonzero(counts)
        ],
    }
