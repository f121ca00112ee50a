"""Captions beside their images: paper A's table 3 with best, middle and worst."""

import csv
import textwrap
from pathlib import Path

import numpy as np

from kerasgan.captioning.train_captions import data_for_captions
from kerasgan.data import load_data

COLUMNS = 6
ROW = "reranked"


def save_run_examples(run):
    """Draws `save_examples` of a judged run into `results/examples.png`."""
    with open(run.results / "predictions.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["row"] == ROW]
    test = load_data(data_for_captions(run.settings), progress=False).test
    places = {name: place for place, name in enumerate(test.ids)}
    images = test.images[[places[row["image_id"]] for row in rows]]
    captions = [row["caption"] for row in rows]
    scores = [float(row["matched"] or "nan") for row in rows]
    return save_examples(images, captions, scores, run.results / "examples.png")


def save_examples(images, captions, scores, path):
    """Draws three rows of images with their captions and similarities: the best, the
    middle and the worst by similarity.

    Args:
        images: uint8 `(n, size, size, 3)`.
        captions: n str.
        scores: `(n,)`, NaN where an image has no references.
        path: of the PNG.

    Returns:
        The path.
    """
    from matplotlib.figure import Figure

    order = np.argsort(-np.asarray(scores), kind="stable")
    order = order[: np.isfinite(scores).sum()]
    columns = min(COLUMNS, len(order))
    middle = (len(order) - columns) // 2
    rows = {
        "best": order[:columns],
        "middle": order[middle : middle + columns],
        "worst": order[-columns:],
    }
    figure = Figure((2 * columns, 8), layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, (title, places) in zip(axes, rows.items()):
        for axis, place in zip(line, places):
            axis.imshow(images[place])
            axis.set(xticks=[], yticks=[])
            said = "\n".join(textwrap.wrap(captions[place], 28)[:4])
            # No mathematics: a caption may hold dollars.
            label = f"{said}\n{scores[place]:.3f}"
            axis.set_xlabel(label, fontsize=7, parse_math=False)
        line[0].set_ylabel(title)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path
