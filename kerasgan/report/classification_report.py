"""Paper B's comparison as a table, as a chart, and as confusion matrices."""

import textwrap

import numpy as np
from rich.table import Table

from kerasgan.papers import B_ACCURACY
from kerasgan.report.tables import as_text

MOST_NAMED = 40  # classes whose names a confusion matrix shows


def classification_text(results):
    """What `compare` returned, for a person to read."""
    rows = results["rows"]
    table = Table(
        title=f"Classes by images and words, splits: {results['seeds']}",
        title_justify="left",
    )
    table.add_column("classifier")
    for name in ("accuracy", "± sd", "macro F1", "train", "seconds", "paper B claims"):
        table.add_column(name, justify="right")
    for name, row in rows.items():
        claimed = B_ACCURACY.get(name)
        table.add_row(
            results["titles"][name],
            f"{row['accuracy_mean']:.3f}",
            f"{row['accuracy_sd']:.3f}",
            f"{row['macro_f1_mean']:.3f}",
            f"{row['train_accuracy_mean']:.3f}",
            f"{row['seconds']:.0f}",
            f"{claimed['test']:.3f}" if claimed else "",
        )
    lines = [as_text([table])]
    for better in ("paper", "ensemble"):
        if {better, "image"} <= set(rows):
            lines.append(_improvement(results, better))
    if len(lines) > 1:
        claimed = B_ACCURACY["paper"]["test"], B_ACCURACY["image"]["test"]
        lines.append(
            f"In paper B pair over image is {_gain(*claimed)}; it writes about 11 %."
        )
    lines += _ours(rows.get("ensemble", {}))
    leaks = results["leaks"]
    lines.append(
        f"Leaks: {leaks['names_own']:.0%} of the test texts name their own class,"
        f" {leaks['named']:.0%} some class; {leaks['texts_known']:.0%} stand in the"
        f" training texts word for word, {leaks['images_known']:.0%} of the images"
        " among the training images."
    )
    return "\n".join(lines)


def _improvement(results, better):
    new, old = (results["rows"][name]["accuracy_mean"] for name in (better, "image"))
    return f"{results['titles'][better]}, over image only: {_gain(new, old)}."


def _gain(new, old):
    points = f"{100 * (new - old):+.1f} points"
    return f"{points}, {100 * (new - old) / old:+.1f} % relative" if old else points


def _ours(row):
    lines = []
    if "image_missing_accuracy_mean" in row:
        lines.append(
            "Ours without the text:"
            f" {row['text_missing_accuracy_mean']:.3f}, without the image:"
            f" {row['image_missing_accuracy_mean']:.3f}."
        )
    if "parts_accuracy_mean" in row:
        weights = row["weights"]["pair"]
        shown = ", ".join(
            f"{name} {accuracy:.3f} (weight {weights[name]:.2f})"
            for name, accuracy in row["parts_accuracy_mean"].items()
        )
        lines.append(f"Its parts alone: {shown}.")
    return lines


def scores_table(scores):
    """What `evaluate_classifier` returned, for a person to read."""
    table = Table(
        title=f"accuracy {scores['accuracy']:.3f}, macro F1 {scores['macro_f1']:.3f},"
        f" {scores['pairs']} pairs",
        title_justify="left",
    )
    for name in ("class", "precision", "recall", "F1", "pairs"):
        table.add_column(name, justify="left" if name == "class" else "right")
    for name, row in scores["classes"].items():
        shown = [f"{row[key]:.3f}" for key in ("precision", "recall", "f1")]
        table.add_row(name, *shown, str(row["pairs"]))
    lines = [as_text([table])]
    for reason, count in scores["left_out"].items():
        lines.append(f"Left out: {count} × {reason}")
    lines += scores["notes"]
    return "\n".join(lines)


def save_images(results, directory):
    """Draws `accuracy.png` and, for each row that learnt, `confusion-ROW.png`."""
    save_chart(results, directory / "accuracy.png")
    for row in results["rows"]:
        if row != "majority":
            save_confusion(results, row, directory / f"confusion-{row}.png")


def save_chart(results, path):
    """Draws paper B's figure 6: accuracy on training and test pairs, row by row."""
    from matplotlib.figure import Figure

    rows = results["rows"]
    places = np.arange(len(rows))
    figure = Figure((10, 5), layout="constrained")
    axes = figure.subplots()
    for shift, key, title in (
        (-0.2, "train_accuracy_mean", "train"),
        (0.2, "accuracy_mean", "test"),
    ):
        heights = [row[key] for row in rows.values()]
        spread = [row["accuracy_sd"] for row in rows.values()] if shift > 0 else None
        bars = axes.bar(places + shift, heights, 0.38, yerr=spread, label=title)
        axes.bar_label(bars, fmt="%.3f", fontsize=8, padding=2)
    titles = [
        textwrap.fill(results["titles"][name], 16, break_on_hyphens=False)
        for name in rows
    ]
    axes.set_xticks(places, titles, fontsize=8)
    axes.set_ylim(0, 1.08)
    axes.set_ylabel("accuracy")
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=120)


def save_confusion(results, row, path):
    """Draws a row's confusion matrix of the first split, as shares of each class."""
    from matplotlib.figure import Figure

    counts = np.array(results["confusion"][row], float)
    names = results["label_names"]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(4 + 0.28 * len(names), 16)
    figure = Figure((side + 1, side), layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    figure.colorbar(drawn, ax=axes, fraction=0.04, label="share of the right class")
    if len(names) <= MOST_NAMED:
        shown = [name if len(name) <= 24 else f"{name[:23]}…" for name in names]
        axes.set_xticks(range(len(names)), shown, rotation=90, parse_math=False)
        axes.set_yticks(range(len(names)), shown, parse_math=False)
    axes.set_xlabel("told")
    axes.set_ylabel("right")
    axes.set_title(results["titles"][row])
    figure.savefig(path, dpi=110)
