"""The sections of a report about captions, retrieval and generated images."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasgan.errors import JobError, UserError
from kerasgan.evaluation.run_predictions import read_predictions
from kerasgan.evaluation.verdicts import CAPTION_ROWS
from kerasgan.papers import A_CELLS, A_CLAIMED, A_ERRATA, A_EXAMPLES, rates_from_cells
from kerasgan.report.charts import sweep_charts
from kerasgan.report.pages import (
    HtmlFigure,
    HtmlTable,
    Section,
    chart_uri,
    figures_text,
    image_uri,
)
from kerasgan.report.run_images import open_test_split, read_images
from kerasgan.report.run_sections import read_result
from kerasgan.report.tables import (
    CAPTION_METRICS,
    CELLS,
    IMAGE_METRICS,
    RETRIEVAL_COLUMNS,
    retrieval_rows,
)
from kerasgan.runs import Run

RATES = ("precision", "recall", "accuracy")
SWEPT_ROWS = ("human", "nearest", "random")  # drawn beside it
NUM_EXAMPLES = 6  # of the best, median and worst captions
MAX_EXAMPLE_WIDTH = 256  # pixels


def main_row(similarity: Mapping[str, Any]) -> str | None:
    """Returns the name of the row with the captions of the run.

    Args:
        similarity: the content of `results/similarity.json`.
    """
    return next((name for name in CAPTION_ROWS if name in similarity["rows"]), None)


def caption_sections(run: Run) -> list[Section]:
    """Shows the results of `evaluate_captions`.

    Args:
        run: the run.

    Returns:
        Sections; none if the captions have not been evaluated.
    """
    similarity = read_result(run, "similarity")
    if not similarity or not main_row(similarity):
        return []
    rows = read_predictions(run)
    sections = [
        _table_2(similarity),
        _sweep_section(similarity, rows),
        _comparison_section(similarity, read_result(run, "captions")),
        *_example_sections(run, similarity, rows),
    ]
    retrieval = read_result(run, "retrieval")
    return sections + ([_retrieval_section(retrieval)] if retrieval else [])


def _table_2(similarity):
    """Paper A's table 2: the paper's figures, its arithmetic, and ours."""
    name = main_row(similarity)
    rows = [
        ["the paper says", "0.500", *_rates(A_CLAIMED), *map(str, A_CELLS.values())],
        ["its arithmetic says", "0.500", *_rates(rates_from_cells()), *[""] * 4],
    ]
    for key, place in (
        (name, "measured"),
        ("human", "measured, human captions"),
    ):
        if key not in similarity["rows"]:
            continue
        for choice, origin in (
            ("at_half", "threshold of the paper"),
            ("at_validated", "threshold of the validation images"),
        ):
            scores = similarity["rows"][key][choice]
            cells = [f"{scores[cell]:,}" for cell in CELLS]
            threshold = f"{scores['threshold']:.3f}"
            rows.append([f"{place}, {origin}", threshold, *_rates(scores), *cells])
    scores = similarity["rows"][name]
    notes = [
        f"Measured on {scores['images']:,} test images: each caption with its own image"
        f" and with {scores['derangements']} others. Of the captions of the run, the"
        f" row is “{similarity['titles'][name]}”.",
        f"AUC {scores['auc']:.3f} (95 % interval {scores['auc_low']:.3f} to"
        f" {scores['auc_high']:.3f}).",
        *A_ERRATA,
    ]
    columns = ["", "threshold", *RATES, *(cell.upper() for cell in CELLS)]
    return Section(
        "Paper A's table 2: captions by TF-IDF cosine",
        tables=[HtmlTable(columns, rows, notes)],
    )


def _rates(rates):
    return [f"{rates[rate]:.3f}" for rate in RATES]


def _sweep_section(similarity, predictions):
    shown = {}
    for name in (main_row(similarity), *SWEPT_ROWS):
        scored = [row for row in predictions.get(name, []) if row["matched"]]
        if scored:
            matched, mismatched = (
                np.array([float(row[key]) for row in scored])
                for key in ("matched", "mismatched")
            )
            threshold = float(scored[0]["threshold"])
            shown[similarity["titles"][name]] = matched, mismatched, threshold
    gallery = [
        HtmlFigure(chart_uri(chart), f"{title} at each threshold")
        for title, chart in sweep_charts(shown).items()
    ]
    note = (
        "Each caption with its image and with one other. Solid red: the paper's"
        " threshold. Dotted: the thresholds chosen on validation images."
    )
    return Section(
        "Threshold sweep, beside human captions",
        gallery=gallery,
        width="22rem",
        notes=[note],
    )


def _comparison_section(similarity, captions):
    rows, caption_rows = similarity["rows"], (captions or {}).get("rows", {})
    table = HtmlTable(
        ["captions", "AUC", *RATES, *(title for _, title, _ in CAPTION_METRICS)],
        [
            [
                similarity["titles"][name],
                f"{row['auc']:.3f}",
                *_rates(row["at_validated"]),
                *figures_text(caption_rows.get(name, {}), CAPTION_METRICS),
            ]
            for name, row in rows.items()
        ],
        ["Precision, recall and accuracy at the threshold of the validation images."],
    )
    return Section("Captions beside baselines", tables=[table])


def _retrieval_section(scores):
    table = HtmlTable(
        RETRIEVAL_COLUMNS,
        retrieval_rows(scores),
        [
            f"Among {scores['images']:,} images and {scores['captions']:,} captions. In"
            " brackets: recall of a random ranking."
        ],
        text_columns=[1],
    )
    return Section("Retrieval", tables=[table])


def image_section(run: Run) -> list[Section]:
    """Shows the results of `evaluate_images`, if there are any.

    Args:
        run: the run.
    """
    scores = read_result(run, "images")
    if not scores:
        return []
    notes = [
        f"{scores['images']:,} images in each set, compared with as many test images;"
        f" features: {scores['features']}. real: training images, which stand for a"
        " perfect generator."
    ]
    if "cosine" in scores:
        cosine = scores["cosine"]
        notes.append(
            "Paper A's step 4a: the cosine with the real image of the same caption is"
            f" {cosine['matched']:.3f}, with that of another caption"
            f" {cosine['mismatched']:.3f}."
        )
    table = HtmlTable(
        ["images", *(title for _, title, _ in IMAGE_METRICS)],
        [
            [name, *figures_text(row, IMAGE_METRICS)]
            for name, row in scores["sets"].items()
        ],
        notes,
    )
    return [Section("Generated images beside real ones", tables=[table])]


def _example_sections(run, similarity, predictions):
    """Paper A's table 3: captions with images and scores, and not only the best."""
    scored = [row for row in predictions[main_row(similarity)] if row["matched"]]
    scored.sort(key=lambda row: -float(row["matched"]))
    count = min(NUM_EXAMPLES, len(scored))
    middle = (len(scored) - count) // 2
    shown = {
        "best": scored[:count],
        "median": scored[middle : middle + count],
        "worst": scored[-count:],
    }
    ids = [row["image_id"] for rows in shown.values() for row in rows]
    try:
        test = open_test_split(run)
        images = read_images(test, ids)
        captions = dict(zip(test.ids, test.captions, strict=True))
    except (UserError, JobError, OSError) as error:
        images, captions = {}, {}
        note = f"The images cannot be read: {error}"
    else:
        note = "Below each image: its similarity, the caption, and a reference."
    table = HtmlTable(
        ["model's description in the paper", "similarity"],
        [[text, f"{score:.4f}"] for text, score in A_EXAMPLES],
        ["The paper shows these six, with images that are not published here."],
    )
    sections = [
        Section("Paper A's table 3: descriptions and their similarity", tables=[table])
    ]
    for title, rows in shown.items():
        gallery = [_example(row, images, captions) for row in rows if images]
        lines = [] if images else [f"{r['matched']}: {r['caption']}" for r in rows]
        section = Section(
            f"Measured: the {title} captions", gallery=gallery, notes=[note, *lines]
        )
        sections.append(section)
    return sections


def _example(row, images, captions):
    image_id = row["image_id"]
    references: Sequence[str] = captions.get(image_id, ())
    return HtmlFigure(
        image_uri(images[image_id], MAX_EXAMPLE_WIDTH),
        f"{float(row['matched']):.3f}",
        [row["caption"] or "(no words)", *(f"({text})" for text in references[:1])],
    )
