"""Captions with their images: paper A's table 3, but not only its best rows."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kerasgan.captioning.caption_data import data_for_captions
from kerasgan.data import load_data
from kerasgan.evaluation.run_predictions import read_predictions
from kerasgan.runs import Run

NUM_COLUMNS = 6
EXAMPLES_ROW = "reranked"  # the row of the evaluation whose captions are drawn


def save_run_examples(run: Run) -> Path:
    """Draws the test captions of a run with `save_examples`.

    Args:
        run: a run with the results of `evaluate_captions`.

    Returns:
        The path of the PNG, `results/examples.png`.
    """
    rows = read_predictions(run)[EXAMPLES_ROW]
    test = load_data(data_for_captions(run.settings), progress=False).test
    positions = {image_id: position for position, image_id in enumerate(test.ids)}
    images = test.images[[positions[row["image_id"]] for row in rows]]
    captions = [row["caption"] for row in rows]
    scores = [float(row["matched"] or "nan") for row in rows]
    return save_examples(images, captions, scores, run.results / "examples.png")


def save_examples(
    images: np.ndarray,
    captions: Sequence[str],
    scores: Sequence[float] | np.ndarray,
    path: str | Path,
) -> Path:
    """Draws images with their captions: those with the best, middle and worst scores.

    Args:
        images: uint8 `(n, size, size, 3)`.
        captions: n captions.
        scores: similarities of the captions with the references `(n,)`, NaN for an
            image without references. At least one is a number.
        path: path of the PNG.

    Returns:
        The path.
    """
    from matplotlib.figure import Figure

    order = np.argsort(-np.asarray(scores), kind="stable")
    order = order[: np.isfinite(scores).sum()]
    num_columns = min(NUM_COLUMNS, len(order))
    middle = (len(order) - num_columns) // 2
    rows = {
        "best": order[:num_columns],
        "middle": order[middle : middle + num_columns],
        "worst": order[-num_columns:],
    }
    figure = Figure((2 * num_columns, 8), layout="constrained")
    axes = figure.subplots(len(rows), num_columns, squeeze=False)
    for row_axes, (title, indices) in zip(axes, rows.items(), strict=True):
        for axis, index in zip(row_axes, indices, strict=True):
            axis.imshow(images[index])
            axis.set(xticks=[], yticks=[])
            wrapped = "\n".join(textwrap.wrap(captions[index], 28)[:4])
            # A caption may contain dollar signs, which matplotlib would parse.
            label = f"{wrapped}\n{scores[index]:.3f}"
            axis.set_xlabel(label, fontsize=7, parse_math=False)
        row_axes[0].set_ylabel(title)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path
