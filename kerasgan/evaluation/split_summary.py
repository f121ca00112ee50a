"""The scores of classifiers on several splits, summarized."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Scores = dict[str, Any]
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
        `confusion` and `reliability`, by classifier.
    """
    rows = {}
    for name in names:
        scores = [finished[seed, name] for seed in range(seeds)]
        scores = [split for split in scores if split]
        if scores:
            rows[name] = _average(scores)
    first_split = {name: finished[0, name] for name in rows}
    details = {
        key: {name: scores[key] for name, scores in first_split.items()}
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
        "macro_f1_mean": mean("macro_f1"),
        "ece_mean": mean("ece"),
        "train_accuracy_mean": mean("train_accuracy"),
        "seeds": len(scores),
        "seconds": mean("seconds"),
    }
    if "temperature" in scores[0]:
        row["temperature_mean"] = mean("temperature")
    for key in ("image_missing", "text_missing"):
        if key in scores[0]:
            row[f"{key}_accuracy_mean"] = mean(key)
    if "members" in scores[0]:
        row["members_accuracy_mean"] = {
            name: float(np.mean([split["members"][name] for split in scores]))
            for name in scores[0]["members"]
        }
        row["weights"] = scores[0]["weights"]
    return row
