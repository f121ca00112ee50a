"""The evaluation of captions, retrieval and generated images as text."""

import io
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from kerasgan.papers import A_CELLS, A_CLAIMED, A_ERRATA, rates_from_cells

WIDTH = 130  # characters in a line
RATES = ("precision", "recall", "accuracy", "f1")
CELLS = ("tp", "fp", "fn", "tn")
# Key, column head and format of each figure.
CAPTION_METRICS = (
    ("bleu_1", "BLEU-1", "{:.1f}"),
    ("bleu_4", "BLEU-4", "{:.1f}"),
    ("rouge_l", "ROUGE-L", "{:.3f}"),
    ("cider_d", "CIDEr-D", "{:.3f}"),
    ("unique", "unique", "{:.2f}"),
    ("novel", "novel", "{:.2f}"),
    ("vocabulary", "words", "{:d}"),
)
IMAGE_METRICS = (
    ("kid", "KID", "{:.4f}"),
    ("precision", "precision", "{:.2f}"),
    ("recall", "recall", "{:.2f}"),
    ("density", "density", "{:.2f}"),
    ("coverage", "coverage", "{:.2f}"),
    ("diversity", "diversity", "{:.2f}"),
)


def evaluation_text(results: Mapping[str, Any]) -> str:
    """Formats the results of `evaluate_captions` as tables.

    Args:
        results: the result of `evaluate_captions`.

    Returns:
        Several lines of text.
    """
    similarity, titles = results["similarity"], results["similarity"]["titles"]
    tables = [
        _similarity_table(similarity["rows"], titles, "at_validated"),
        _similarity_table(similarity["rows"], titles, "at_half"),
        _caption_table(results["captions"]["rows"], titles),
        _retrieval_table(results["retrieval"]),
    ]
    if "images" in results:
        tables.append(_image_table(results["images"]))
    return tables_to_text(tables)


def _similarity_table(rows, titles, threshold_key):
    is_papers = threshold_key == "at_half"
    threshold = "0.5, as in paper A" if is_papers else "from validation images"
    table = _new_table(f"Matched and mismatched captions, threshold {threshold}")
    table.add_column("captions")
    _add_columns(
        table, "AUC", "AUC*", "threshold", *RATES[:-1], "F1", "TP", "FP", "FN", "TN"
    )
    for name, row in rows.items():
        scores = row[threshold_key]
        table.add_row(
            titles[name],
            f"{row['auc']:.3f}",
            f"{row['auc_by_embedding']:.3f}",
            f"{scores['threshold']:.3f}",
            *(f"{scores[rate]:.3f}" for rate in RATES),
            *(str(scores[cell]) for cell in CELLS),
        )
    cells = [str(A_CELLS[cell]) for cell in CELLS]
    for title, paper_rates in (
        ("paper A's claim", A_CLAIMED),
        ("computed from paper A's cells", rates_from_cells()),
    ):
        rates = [
            f"{paper_rates[rate]:.3f}" if rate in paper_rates else "" for rate in RATES
        ]
        table.add_row(title, "", "", "0.500", *rates, *cells, style="italic")
    notes = ["* by the dual encoder's vectors of captions instead of those of TF-IDF"]
    if is_papers:
        notes += ["Errors in paper A:", *A_ERRATA]
    table.caption, table.caption_justify = "\n".join(notes), "left"
    return table


def _caption_table(rows, titles):
    table = _new_table("Quality and diversity of the captions")
    table.add_column("captions")
    _add_columns(table, *(title for _, title, _ in CAPTION_METRICS))
    for name, row in rows.items():
        figures = [style.format(row[key]) for key, _, style in CAPTION_METRICS]
        table.add_row(titles[name], *figures)
    return table


def _retrieval_table(scores):
    table = _new_table(
        f"Retrieval among {scores['images']} images and {scores['captions']} captions"
    )
    table.add_column("direction")
    _add_columns(table, "R@1", "R@5", "R@10", "median rank")
    for direction, title in (
        ("image_to_text", "image to caption"),
        ("text_to_image", "caption to image"),
    ):
        row, chance = scores[direction], scores["chance"][direction]
        recalls = [f"{row[key]:.1f} ({chance[key]:.1f})" for key in ("r1", "r5", "r10")]
        table.add_row(title, *recalls, f"{row['median_rank']:g}")
    table.caption = "In brackets: recall of a random ranking."
    return table


def _image_table(scores):
    table = _new_table(
        f"{scores['images']} generated images, features: {scores['features']}"
    )
    table.add_column("images")
    _add_columns(table, *(title for _, title, _ in IMAGE_METRICS))
    for name, row in scores["sets"].items():
        figures = [style.format(row[key]) for key, _, style in IMAGE_METRICS]
        table.add_row(name, *figures)
    cosine = scores["cosine"]
    table.caption = (
        f"Cosine with the real image of the same caption: {cosine['matched']:.3f}, of"
        f" another caption: {cosine['mismatched']:.3f}."
    )
    return table


def _new_table(title):
    return Table(title=title, title_justify="left")


def _add_columns(table, *titles):
    for title in titles:
        table.add_column(title, justify="right")


def tables_to_text(tables: Iterable[Table]) -> str:
    """Formats tables as text, one below the other.

    Args:
        tables: tables of rich.

    Returns:
        Several lines of text, without a line break at the end.
    """
    buffer = io.StringIO()
    console = Console(file=buffer, width=WIDTH)
    for table in tables:
        console.print(table)
    return buffer.getvalue().rstrip()
