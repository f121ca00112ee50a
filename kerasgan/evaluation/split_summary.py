"""The scores of classifiers on several splits, summarized."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Scores = dict[str, Any]
AVERAGED = (
    *("macro_f1", "micro_f1", "mean_average_precision", "ece", "train_accuracy"),
    "temperature",
)
OF_FIRST_SPLIT = ("classes", "confusion", "reliability")


def summarize_splits(
    finished: Mapping[tuple[int, str], Scores | None],
    names: Iterable[str],
    seeds: int,
) -> dict[str, Any]:
    """Averages the scores of each classifier over the splits.

    Args:
        finished: scores by split and classifier; None if it cannot be trained.
        names: of the classifiers.
        seeds: number of splits.

    Returns:
        `rows`, the averages by classifier; and of the first split `classes`,
        `confusion` and `reliability`, by the classifiers that have them.
    """
    rows = {}
    for name in names:
        scores = [finished[seed, name] for seed in range(seeds)]
        scores = [split for split in scores if split]
        if scores:
            rows[name] = _average(scores)
    first_split = {name: finished[0, name] for name in rows}
    details = {
        key: {name: row[key] for name, row in first_split.items() if key in row}
        for key in OF_FIRST_SPLIT
    }
    return {"rows": rows, **details}


def _average(scores: Sequence[Scores]) -> Scores:
    """Averages the scores of all splits; the accuracy has a standard deviation too."""

    def mean(key):
        return float(np.mean([split[key] for split in scores]))

    accuracies = [split["accuracy"] for split in scores]
    row: Scores = {
        "accuracy_mean": float(np.mean(accuracies)),
        "accuracy_sd": float(np.std(accuracies, ddof=1)) if len(scores) > 1 else 0.0,
        "accuracies": accuracies,
        "seeds": len(scores),
        "seconds": mean("seconds"),
    }
    for key in AVERAGED:
        if all(key in split for split in scores):  # an older split may lack one
            row[f"{key}_mean"] = mean(key)
    for key in ("image_missing", "text_missing"):
        if key in scores[0]:
            row[f"{key}_accuracy_mean"] = mean(key)
    if "members" in scores[0]:
        row["members_accuracy_mean"] = {
            name: float(np.mean([split["members"][name] for split in scores]))
            for name in scores[0]["members"]
        }
    if "weights" in scores[0]:
        row["weights"] = scores[0]["weights"]
    return row
