"""Metrics of classifiers whose pairs have any number of labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    precision_recall_fscore_support,
)

RATES = ("precision", "recall", "f1")


def multi_label_scores(
    labels: np.ndarray,
    probabilities: np.ndarray,
    thresholds: Sequence[float] | np.ndarray,
    label_names: Sequence[str],
) -> dict[str, Any]:
    """Computes the metrics of labels that are decided one by one.

    Args:
        labels: true labels, zeros and ones `(n, classes)`.
        probabilities: floats `(n, classes)`.
        thresholds: of the classes; a label is predicted from its threshold on.
        label_names: names of the classes.

    Returns:
        The results of `decision_scores`, with the `threshold` of each class, and
        `mean_average_precision`.
    """
    predictions = (probabilities >= np.asarray(thresholds)).astype(np.uint8)
    scores = decision_scores(labels, predictions, label_names)
    for name, threshold in zip(label_names, thresholds, strict=True):
        scores["classes"][name]["threshold"] = float(threshold)
    average_precision = mean_average_precision(labels, probabilities)
    return scores | {"mean_average_precision": average_precision}


def decision_scores(
    labels: np.ndarray, predictions: np.ndarray, label_names: Sequence[str]
) -> dict[str, Any]:
    """Computes the metrics of predicted labels without their probabilities.

    Args:
        labels: true labels, zeros and ones `(n, classes)`, of at least two classes.
        predictions: predicted labels, likewise.
        label_names: names of the classes.

    Returns:
        `accuracy`, the share of pairs whose labels are all right and complete (subset
        accuracy); `micro_precision`, `micro_recall` and `micro_f1`, over all decisions;
        `macro_precision`, `macro_recall` and `macro_f1`, the means over the classes
        that occur in `labels` or are predicted; and `classes`, which maps names to
        `precision`, `recall`, `f1` and the number of `pairs`.
    """
    *rates, counts = precision_recall_fscore_support(
        labels, predictions, zero_division=0
    )
    micro = precision_recall_fscore_support(
        labels, predictions, average="micro", zero_division=0
    )
    occurs = (counts > 0) | predictions.any(axis=0)
    scores: dict[str, Any] = {"accuracy": float(accuracy_score(labels, predictions))}
    for key, total, values in zip(RATES, micro, rates, strict=False):
        scores[f"micro_{key}"] = float(total)
        scores[f"macro_{key}"] = float(values[occurs].mean())
    scores["classes"] = {
        name: dict(zip(RATES, map(float, values), strict=True)) | {"pairs": int(count)}
        for name, *values, count in zip(label_names, *rates, counts, strict=True)
    }
    return scores


def mean_average_precision(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Computes the mean of the average precisions of the classes that occur.

    It depends on the order of the probabilities of each class only.

    Args:
        labels: true labels, zeros and ones `(n, classes)`.
        probabilities: floats `(n, classes)`.
    """
    average_precisions = [
        average_precision_score(labels[:, label], probabilities[:, label])
        for label in np.flatnonzero(labels.any(axis=0))
    ]
    return float(np.mean(average_precisions))
