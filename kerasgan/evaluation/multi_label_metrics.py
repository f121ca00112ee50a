"""Metrics of classifiers whose pairs have any number of labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_recall_fscore_support,
)


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
        `accuracy`, the share of pairs whose labels are all right and complete (subset
        accuracy); `micro_f1`, over all decisions; `macro_f1`, the mean over the classes
        that occur in `labels` or are predicted; `mean_average_precision`, over the
        classes that occur in `labels`, which does not depend on the thresholds; and
        `classes`, which maps names to `precision`, `recall`, `f1`, `threshold` and the
        number of `pairs`.
    """
    predictions = (probabilities >= np.asarray(thresholds)).astype(np.uint8)
    precision, recall, f1, counts = precision_recall_fscore_support(
        labels, predictions, zero_division=0
    )
    is_true = counts > 0
    average_precisions = [
        average_precision_score(labels[:, label], probabilities[:, label])
        for label in np.flatnonzero(is_true)
    ]
    return {
        "accuracy": float(accuracy_score(labels, predictions)),
        "micro_f1": float(
            f1_score(labels, predictions, average="micro", zero_division=0)
        ),
        "macro_f1": float(f1[is_true | predictions.any(axis=0)].mean()),
        "mean_average_precision": float(np.mean(average_precisions)),
        "classes": {
            name: {
                "precision": float(precision[label]),
                "recall": float(recall[label]),
                "f1": float(f1[label]),
                "threshold": float(thresholds[label]),
                "pairs": int(counts[label]),
            }
            for label, name in enumerate(label_names)
        },
    }
