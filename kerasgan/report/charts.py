"""Charts of a report."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerasgan.papers import A_CLAIMED, A_THRESHOLD

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = 4.4, 2.6  # inches; several are beside each other, or below on a phone
COLORS = ("tab:blue", "tab:green", "tab:gray", "tab:purple")
NUM_THRESHOLDS = 101


def training_charts(metrics: Sequence[Mapping[str, float]]) -> dict[str, "Figure"]:
    """Draws the course of each metric of a training.

    A metric and its value on validation data share a chart.

    Args:
        metrics: a dict for each epoch, with `epoch` and numbers.

    Returns:
        A figure for each metric, by its name.
    """
    names = dict.fromkeys(
        key
        for line in metrics
        for key, value in line.items()
        if isinstance(value, int | float) and key not in ("epoch", "seconds")
    )
    charts = {}
    for name in names:
        metric = name.removeprefix("val_")
        if name == metric:
            group = [name, f"val_{name}"] if f"val_{name}" in names else [name]
            charts[name] = _training_chart(metrics, group)
        elif metric not in names:
            charts[f"{metric} (validation)"] = _training_chart(metrics, [name])
    return charts


def _training_chart(metrics, names):
    from matplotlib.figure import Figure

    figure = Figure(SIZE, layout="constrained")
    axis = figure.subplots()
    for name in names:
        points = [
            (line["epoch"], line[name])
            for line in metrics
            if isinstance(line.get(name), int | float)
        ]
        label = "validation" if name.startswith("val_") else "training"
        axis.plot(*np.transpose(points), marker=".", label=label)
    epochs = [line["epoch"] for line in metrics]
    axis.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
    axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axis.set_xlabel("epoch", fontsize=9)
    axis.tick_params(labelsize=9)
    axis.grid(alpha=0.3)
    if len(names) > 1:
        axis.legend(fontsize=8)
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


def sweep_charts(
    rows: Mapping[str, tuple[np.ndarray, np.ndarray, float]],
) -> dict[str, "Figure"]:
    """Draws accuracy, and precision and recall, against the threshold.

    Args:
        rows: for each title the scores of matched and mismatched pairs, and the
            threshold that was chosen on validation images.

    Returns:
        A figure for the accuracy, and one for precision and recall, by their titles.
    """
    thresholds = np.linspace(0, 1, NUM_THRESHOLDS)
    (accuracy, left), (both, right) = _sweep_axes(), _sweep_axes()
    for color, (title, (matched, mismatched, chosen)) in zip(
        COLORS, rows.items(), strict=False
    ):
        rates = sweep_thresholds(matched, mismatched, thresholds)
        left.plot(thresholds, rates["accuracy"], color=color, label=title)
        right.plot(thresholds, rates["precision"], color=color)
        right.plot(thresholds, rates["recall"], color=color, linestyle="--")
        left.axvline(chosen, color=color, linewidth=0.8, linestyle=":")
    left.plot(A_THRESHOLD, A_CLAIMED["accuracy"], "r*", label="paper A's claim")
    for rate in ("precision", "recall"):
        right.plot(A_THRESHOLD, A_CLAIMED[rate], "r*")
    left.legend(fontsize=8, loc="lower right")
    return {"Accuracy": accuracy, "Precision (solid) and recall (dashed)": both}


def _sweep_axes():
    from matplotlib.figure import Figure

    figure = Figure((5.4, 4), layout="constrained")
    axis = figure.subplots()
    axis.axvline(A_THRESHOLD, color="red", linewidth=0.8)
    axis.set_xlabel("threshold of the TF-IDF cosine")
    axis.set(xlim=(0, 1), ylim=(0, 1.02))
    axis.grid(alpha=0.3)
    return figure, axis
