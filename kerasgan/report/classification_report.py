"""Paper B's comparison of classifiers as a table, a chart and confusion matrices."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from kerasgan.papers import B_ACCURACY
from kerasgan.report.multi_label_tables import (
    average_rows,
    multi_label_table,
    multi_label_title,
)
from kerasgan.report.tables import left_out_lines, tables_to_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_NAMED_CLASSES = 40  # with more, a confusion matrix shows no names
MAX_CLASS_NAME_LENGTH = 24
MAX_POINT_AREA = 500  # of a bin with all pairs, in square points


def comparison_text(results: Mapping[str, Any]) -> str:
    """Formats the results of `compare_classifiers` as a table with notes.

    Args:
        results: the result of `compare_classifiers`.

    Returns:
        Several lines of text.
    """
    lines = [tables_to_text([_comparison_table(results)]), *comparison_notes(results)]
    return "\n".join(lines)


def comparison_notes(results: Mapping[str, Any]) -> list[str]:
    """Describes the gains of pairs over images, the ensemble, balance, and leaks.

    Args:
        results: the result of `compare_classifiers`.

    Returns:
        Sentences.
    """
    rows, lines = results["rows"], []
    improvements = [
        _improvement(results, row)
        for row in ("paper", "ensemble")
        if {row, "image"} <= set(rows) and not results.get("multi_label")
    ]
    if improvements:
        paper_gain = gain_text(B_ACCURACY["paper"]["test"], B_ACCURACY["image"]["test"])
        lines += improvements
        lines.append(
            f"In paper B, image + text over image only: {paper_gain}; the paper says"
            " about 11 %."
        )
    lines += _ensemble_notes(rows.get("ensemble", {}))
    if results.get("balance"):
        lines.append(
            "With --balance, probabilities are those of classes that are equally"
            " frequent, and the ECE compares them with the frequencies of these pairs."
        )
    leaks = results["leaks"]
    lines.append(
        f"Leaks: {leaks['names_own']:.0%} of the test texts name their own class,"
        f" {leaks['named']:.0%} any class. {leaks['texts_known']:.0%} of the test texts"
        f" and {leaks['images_known']:.0%} of the test images also occur in the"
        " training data."
    )
    return lines


def _comparison_table(results):
    title = f"Comparison of classifiers, number of splits: {results['seeds']}"
    table = Table(title=title, title_justify="left")
    if results.get("multi_label"):
        columns, rows = multi_label_table(results)
        for number, name in enumerate(columns):
            table.add_column(name, justify="right" if number else "left")
        for row in rows:
            table.add_row(*row)
        return table
    table.add_column("classifier")
    for name in (
        *("accuracy", "± sd", "macro F1", "ECE", "training accuracy", "seconds"),
        "paper B's claim",
    ):
        table.add_column(name, justify="right")
    for name, row in results["rows"].items():
        claim = B_ACCURACY.get(name)
        table.add_row(
            results["titles"][name],
            f"{row['accuracy_mean']:.3f}",
            f"{row['accuracy_sd']:.3f}",
            f"{row['macro_f1_mean']:.3f}",
            ece_text(row),
            f"{row['train_accuracy_mean']:.3f}",
            f"{row['seconds']:.0f}",
            f"{claim['test']:.3f}" if claim else "",
        )
    return table


def ece_text(row: Mapping[str, Any]) -> str:
    """Formats the ECE of a row; older results have none.

    Args:
        row: of `results["rows"]`.
    """
    return f"{row['ece_mean']:.3f}" if "ece_mean" in row else ""


def _improvement(results, row):
    accuracy = results["rows"][row]["accuracy_mean"]
    gain = gain_text(accuracy, results["rows"]["image"]["accuracy_mean"])
    return f"{results['titles'][row]}, over image only: {gain}."


def gain_text(accuracy: float, baseline: float) -> str:
    """Describes a gain in accuracy in points and in percent of the baseline.

    Args:
        accuracy: in [0, 1].
        baseline: in [0, 1].
    """
    gain = accuracy - baseline
    points = f"{100 * gain:+.1f} points"
    # Accuracies of 0 occur with very few test pairs.
    return f"{points}, {100 * gain / baseline:+.1f} % relative" if baseline else points


def _ensemble_notes(row):
    notes = []
    if "image_missing_accuracy_mean" in row:
        notes.append(
            "Accuracy of the ensemble without the text:"
            f" {row['text_missing_accuracy_mean']:.3f}, without the image:"
            f" {row['image_missing_accuracy_mean']:.3f}."
        )
    if "members_accuracy_mean" in row:
        weights = row["weights"]["pair"]
        members = ", ".join(
            f"{name} {accuracy:.3f} (weight {weights[name]:.2f})"
            for name, accuracy in row["members_accuracy_mean"].items()
        )
        notes.append(f"Accuracy of each member alone: {members}.")
    return notes


def scores_text(scores: Mapping[str, Any]) -> str:
    """Formats the scores of a classifier as a table with notes.

    Args:
        scores: the result of `evaluate_classifier` or `evaluate_files`.

    Returns:
        Several lines of text.
    """
    calibration = f", ECE {scores['ece']:.3f}" if "ece" in scores else ""
    title = (
        f"accuracy {scores['accuracy']:.3f}, macro F1 {scores['macro_f1']:.3f}"
        f"{calibration}, {scores['pairs']} pairs"
    )
    if "micro_f1" in scores:
        title = multi_label_title(scores)
    table = Table()
    table.add_column("class")
    for name in ("precision", "recall", "F1", "pairs"):
        table.add_column(name, justify="right")
    for name, row in scores["classes"].items():
        rates = [f"{row[key]:.3f}" for key in ("precision", "recall", "f1")]
        table.add_row(name, *rates, str(row["pairs"]))
    if "micro_f1" in scores:
        table.add_section()
        for cells in average_rows(scores):
            table.add_row(*cells)
    # Not the title of the table, which would be broken at its width.
    return "\n".join([title, tables_to_text([table]), *left_out_lines(scores)])


def save_charts(results: Mapping[str, Any], directory: Path) -> None:
    """Saves the results of `compare_classifiers` as charts.

    Writes `accuracy.png`, and `confusion-ROW.png` for each row except the majority
    class, if a pair has one label.

    Args:
        results: the result of `compare_classifiers`.
        directory: an existing directory.
    """
    accuracy_chart(results).savefig(directory / "accuracy.png", dpi=120)
    for row in results["confusion"]:
        if row != "majority":
            chart = confusion_chart(results, row)
            chart.savefig(directory / f"confusion-{row}.png", dpi=110)


def accuracy_chart(results: Mapping[str, Any]) -> "Figure":
    """Draws paper B's figure 6: training and test accuracy of each classifier.

    Args:
        results: the result of `compare_classifiers`.
    """
    from matplotlib.figure import Figure

    rows = results["rows"]
    positions = np.arange(len(rows))
    figure = Figure((10, 5), layout="constrained")
    axes = figure.subplots()
    deviations = [row["accuracy_sd"] for row in rows.values()]
    for shift, key, label, error_bars in (
        (-0.2, "train_accuracy_mean", "training", None),
        (0.2, "accuracy_mean", "test", deviations),
    ):
        heights = [row[key] for row in rows.values()]
        bars = axes.bar(positions + shift, heights, 0.38, yerr=error_bars, label=label)
        axes.bar_label(bars, fmt="%.3f", fontsize=8, padding=2)
    titles = [
        textwrap.fill(results["titles"][name], 16, break_on_hyphens=False)
        for name in rows
    ]
    axes.set_xticks(positions, titles, fontsize=8)
    axes.set_ylim(0, 1.08)
    axes.set_ylabel("subset accuracy" if results.get("multi_label") else "accuracy")
    axes.legend(loc="upper left")
    return figure


def confusion_chart(results: Mapping[str, Any], row: str) -> "Figure":
    """Draws the confusion matrix of a classifier on the first split.

    Each row of the matrix is divided by the number of pairs of the true class.

    Args:
        results: the result of `compare_classifiers`.
        row: name of the classifier in `results["rows"]`.
    """
    from matplotlib.figure import Figure

    counts = np.array(results["confusion"][row], float)
    names = results["label_names"]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(4 + 0.28 * len(names), 16)
    figure = Figure((size + 1, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    figure.colorbar(image, ax=axes, fraction=0.04, label="share of the true class")
    if len(names) <= MAX_NAMED_CLASSES:
        labels = [_shorten(name) for name in names]
        axes.set_xticks(range(len(names)), labels, rotation=90, parse_math=False)
        axes.set_yticks(range(len(names)), labels, parse_math=False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_title(results["titles"][row])
    return figure


def reliability_chart(results: Mapping[str, Any], row: str) -> "Figure":
    """Draws the accuracy of a classifier at each confidence, on the first split.

    The area of a point shows the number of pairs. A calibrated classifier is on the
    diagonal, an overconfident one below it.

    Args:
        results: the result of `compare_classifiers`.
        row: name of the classifier in `results["rows"]`.
    """
    from matplotlib.figure import Figure

    bins = results["reliability"][row]
    confidences, accuracies, counts = (
        np.array([each[key] for each in bins])
        for key in ("confidence", "accuracy", "pairs")
    )
    figure = Figure((4, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="tab:gray", linestyle="--")
    axes.plot(confidences, accuracies, linewidth=1)
    axes.scatter(confidences, accuracies, MAX_POINT_AREA * counts / counts.sum())
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
    axes.set(xlabel="confidence", ylabel="accuracy")
    return figure


def _shorten(name):
    if len(name) <= MAX_CLASS_NAME_LENGTH:
        return name
    return f"{name[: MAX_CLASS_NAME_LENGTH - 1]}…"
