"""The results of classifiers whose pairs have any number of labels, as tables."""

from collections.abc import Mapping
from typing import Any

COMPARISON = {  # column to key of a row of `compare_classifiers`
    "micro F1": "micro_f1_mean",
    "macro F1": "macro_f1_mean",
    "mAP": "mean_average_precision_mean",
    "subset accuracy": "accuracy_mean",
    "its training": "train_accuracy_mean",
}


def multi_label_table(results: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Makes a table of a comparison.

    Args:
        results: the result of `compare_classifiers`.

    Returns:
        The heads of the columns, and the cells of each row.
    """
    rows = [
        [
            results["titles"][name],
            *(f"{row[key]:.3f}" for key in COMPARISON.values()),
            f"{row['seconds']:,.0f}",
        ]
        for name, row in results["rows"].items()
    ]
    return ["classifier", *COMPARISON, "seconds"], rows


def multi_label_title(scores: Mapping[str, Any]) -> str:
    """Describes the scores of a classifier in one line.

    Args:
        scores: the result of `evaluate_classifier`.
    """
    return (
        f"micro F1 {scores['micro_f1']:.3f}, macro F1 {scores['macro_f1']:.3f},"
        f" mAP {scores['mean_average_precision']:.3f},"
        f" subset accuracy {scores['accuracy']:.3f}, {scores['pairs']} pairs"
    )
