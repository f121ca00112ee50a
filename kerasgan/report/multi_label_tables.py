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
SCORES = {  # name to key of the scores of a classifier
    "micro F1": "micro_f1",
    "macro F1": "macro_f1",
    "mAP": "mean_average_precision",
    "subset accuracy": "accuracy",
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
        scores: the result of `evaluate_classifier` or `evaluate_files`.
    """
    found = {name: scores[key] for name, key in SCORES.items() if key in scores}
    values = [f"{name} {value:.3f}" for name, value in found.items()]
    return ", ".join([*values, f"{scores['pairs']} pairs"])


def average_rows(scores: Mapping[str, Any]) -> list[list[str]]:
    """Returns the cells of micro and macro averages, for the end of a table of classes.

    Args:
        scores: see `multi_label_title`.
    """
    rows = []
    for average in ("micro", "macro"):
        rates = [scores[f"{average}_{key}"] for key in ("precision", "recall", "f1")]
        cells = [f"{rate:.3f}" for rate in rates]
        rows.append([f"{average} average", *cells, str(scores["pairs"])])
    return rows
