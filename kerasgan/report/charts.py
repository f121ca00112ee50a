"""Charts of a report."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerasgan.papers import A_CLAIMED, A_THRESHOLD

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 3  # small charts beside each other
COLORS = ("tab:blue", "tab:green", "tab:gray", "tab:purple")
NUM_THRESHOLDS = 101


def training_chart(metrics: Sequence[Mapping[str, float]]) -> "Figure | None":
    """Draws the course of each metric of a training.

    A metric and its value on validation data share axes.

    Args:
        metrics: a dict for each epoch, with `epoch` and numbers.

    Returns:
        A figure; None if there is no metric.
    """
    from matplotlib.figure import Figure

    names = dict.fromkeys(
        key
        for line in metrics
        for key, value in line.items()
        if isinstance(value, int | float) and key not in ("epoch", "seconds")
    )
    groups = [
        [name, f"val_{name}"] if f"val_{name}" in names else [name]
        for name in names
        if name.removeprefix("val_") == name or name.removeprefix("val_") not in names
    ]
    if not groups:
        return None
    num_rows = -(-len(groups) // COLUMNS)
    figure = Figure((10, 2.3 * num_rows), layout="constrained")
    axes = figure.subplots(num_rows, COLUMNS, squeeze=False).ravel()
    for axis, group in zip(axes, groups, strict=False):
        for name in group:
            points = [
                (line["epoch"], line[name])
                for line in metrics
                if isinstance(line.get(name), int | float)
            ]
            label = "validation" if name.startswith("val_") else "training"
            axis.plot(*np.transpose(points), marker=".", label=label)
        axis.set_title(group[0], fontsize=10, parse_math=False)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.3)
        if len(group) > 1:
            axis.legend(fontsize=7)
    for axis in axes[len(groups) :]:
        axis.set_axis_off()
    for axis in axes[:COLUMNS]:
        axis.set_xlabel("epoch", fontsize=8)
    return figure


def sweep_thresholds(
    matched: np.ndarray, mismatched: np.ndarray, thresholds: np.ndarray
) -> dict[str, np.ndarray]:
    """Computes the rates of pairs at many thresholds.

    Args:
        matched: scores of the matched pairs, float `(n,)`.
        mismatched: scores of the mismatched pairs, float `(m,)`.
        thresholds: float `(k,)`. A score that is at least the threshold is positive.

    Returns:
        `precision`, `recall` and `accuracy`, each `(k,)`. Without a positive pair, the
        precision is NaN.
    """
    matched, mismatched = np.sort(matched), np.sort(mismatched)
    tp = len(matched) - np.searchsorted(matched, thresholds)
    fp = len(mismatched) - np.searchsorted(mismatched, thresholds)
    positive = tp + fp
    return {
        "precision": np.where(positive, tp / np.maximum(positive, 1), np.nan),
        "recall": tp / len(matched),
        "accuracy": (tp + len(mismatched) - fp) / (len(matched) + len(mismatched)),
    }


def sweep_chart(
    rows: Mapping[str, tuple[np.ndarray, np.ndarray, float]],
) -> "Figure":
    """Draws accuracy, and precision and recall, against the threshold.

    Args:
        rows: for each title the scores of matched and mismatched pairs, and the
            threshold that was chosen on validation images.
    """
    from matplotlib.figure import Figure

    thresholds = np.linspace(0, 1, NUM_THRESHOLDS)
    figure = Figure((10, 4), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    for color, (title, (matched, mismatched, chosen)) in zip(
        COLORS, rows.items(), strict=False
    ):
        rates = sweep_thresholds(matched, mismatched, thresholds)
        left.plot(thresholds, rates["accuracy"], color=color, label=title)
        left.axvline(chosen, color=color, linewidth=0.8, linestyle=":")
        right.plot(thresholds, rates["precision"], color=color)
        right.plot(thresholds, rates["recall"], color=color, linestyle="--")
    left.plot(A_THRESHOLD, A_CLAIMED["accuracy"], "r*", label="paper A's claim")
    for rate in ("precision", "recall"):
        right.plot(A_THRESHOLD, A_CLAIMED[rate], "r*")
    left.set_ylabel("accuracy")
    right.set_ylabel("precision (solid), recall (dashed)")
    for axis in (left, right):
        axis.axvline(A_THRESHOLD, color="red", linewidth=0.8)
        axis.set_xlabel("threshold of the TF-IDF cosine")
        axis.set(xlim=(0, 1), ylim=(0, 1.02))
        axis.grid(alpha=0.3)
    left.legend(fontsize=8, loc="lower right")
    return figure
