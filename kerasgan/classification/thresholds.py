"""Thresholds from which a probability means that a pair has a label."""

import numpy as np
from sklearn.metrics import precision_recall_curve

from kerasgan.classification.scores import class_counts

DEFAULT_THRESHOLD = 0.5  # of a class without examples


def choose_thresholds(
    threshold: float | str, probabilities: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Returns the threshold of each class, float64 `(classes,)`.

    Args:
        threshold: the threshold of all classes, or `"f1"` for those with the highest F1
            of each class, and so with the highest macro F1.
        probabilities: `(n, classes)`, of pairs that were not trained on.
        labels: uint8 `(n, classes)` of the same pairs.
    """
    num_classes = labels.shape[1]
    if threshold != "f1":
        return np.full(num_classes, threshold)
    thresholds = np.full(num_classes, DEFAULT_THRESHOLD)
    for label in np.flatnonzero(class_counts(labels, num_classes)):
        thresholds[label] = _best_f1(probabilities[:, label], labels[:, label])
    return thresholds


def _best_f1(probabilities, labels):
    """Returns a threshold half-way between two probabilities."""
    precision, recall, candidates = precision_recall_curve(labels, probabilities)
    f1 = precision * recall / np.maximum(precision + recall, 1e-9)
    best = f1[:-1].argmax()  # the last point has no threshold
    return candidates[max(best - 1, 0) : best + 1].mean()
