"""The evaluation of captions, retrieval and generated images as text."""

import io
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from kerasgan.data.annotations import clean_text
from kerasgan.inference.prediction_writer import escape_unprintable
from kerasgan.papers import A_CELLS, A_CLAIMED, A_ERRATA, rates_from_cells

WIDTH = 130  # characters in a line
RATES = ("precision", "recall", "accuracy", "f1")
CELLS = ("tp", "fp", "fn", "tn")
RECALLS = ("r1", "r5", "r10")
RETRIEVAL_COLUMNS = ("direction", "ranking", "R@1", "R@5", "R@10", "median rank")
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
    """Formats the results of `evaluate_captions` or `evaluate_files` as tables.

    Args:
        results: the result of one of them, or of `evaluate_folders` as `"images"` and
            of `evaluate_agreement` as `"agreement"`.

    Returns:
        Several lines of text.
    """
    tables = []
    if "similarity" in results:
        similarity, titles = results["similarity"], results["similarity"]["titles"]
        source = similarity.get("threshold", "from validation images")
        tables += [
            _similarity_table(similarity["rows"], titles, "at_validated", source),
            _similarity_table(
                similarity["rows"], titles, "at_half", "0.5, as in paper A"
            ),
            _caption_table(results["captions"]["rows"], titles),
        ]
    if "retrieval" in results:
        tables.append(_retrieval_table(results["retrieval"]))
    if "images" in results:
        tables.append(_image_table(results["images"]))
    if "agreement" in results:
        tables.append(_agreement_table(results["agreement"]))
    return tables_to_text(tables)


def left_out_lines(results: Mapping[str, Any]) -> list[str]:
    """Says what an evaluation left out, with the names of the first of them.

    Args:
        results: has `left_out`, which maps reasons to counts, and may have `examples`,
            see `ReadReport`, and `notes`.

    Returns:
        Lines of text.
    """
    lines = []
    for reason, count in results["left_out"].items():
        names = [
            example["value"]
            for example in results.get("examples", [])
            if example["reason"] == reason
        ]
        more = ", …" if len(names) < count else ""
        listed = f": {', '.join(names)}{more}" if names else ""
        lines.append(f"Skipped: {count} × {reason}{listed}")
    return list(map(clean_text, [*lines, *results["notes"]]))


def _similarity_table(rows, titles, threshold_key, source):
    is_papers = threshold_key == "at_half"
    table = _new_table(f"Matched and mismatched captions, threshold {source}")
    table.add_column("captions")
    embedded = all("auc_by_embedding" in row for row in rows.values())
    areas = ["auc", "auc_by_embedding"] if embedded else ["auc"]
    _add_columns(table, *["AUC", "AUC*"][: len(areas)], "threshold", *RATES[:-1], "F1")
    _add_columns(table, "TP", "FP", "FN", "TN")
    for name, row in rows.items():
        scores = row[threshold_key]
        table.add_row(
            titles[name],
            *(f"{row[area]:.3f}" for area in areas),
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
        table.add_row(
            title, *[""] * len(areas), "0.500", *rates, *cells, style="italic"
        )
    notes = []
    if embedded:
        notes = [
            "* by the dual encoder's vectors of captions instead of those of TF-IDF"
        ]
    if is_papers:
        notes += ["Errors in paper A:", *A_ERRATA]
    table.caption, table.caption_justify = "\n".join(notes), "left"
    return table


def _caption_table(rows, titles):
    table = _new_table("Quality and diversity of the captions")
    table.add_column("captions")
    metrics = [m for m in CAPTION_METRICS if all(m[0] in row for row in rows.values())]
    _add_columns(table, *(title for _, title, _ in metrics))
    for name, row in rows.items():
        figures = [style.format(row[key]) for key, _, style in metrics]
        table.add_row(titles[name], *figures)
    return table


def retrieval_rows(scores: Mapping[str, Any]) -> list[list[str]]:
    """Returns the cells of `RETRIEVAL_COLUMNS`, for each direction and ranking.

    Args:
        scores: the content of `results/retrieval.json`.
    """
    rankings = {"hubness correction": scores}
    if "by_cosine" in scores:
        rankings = {"cosine": scores["by_cosine"], **rankings}
    if "reranked" in scores:
        title = f"captioner, the best {scores['reranked']['matches']}"
        rankings[title] = scores["reranked"]
    rows = []
    for direction, title in (
        ("image_to_text", "image to caption"),
        ("text_to_image", "caption to image"),
    ):
        chance = scores["chance"][direction]
        for ranking, results in rankings.items():
            row = results[direction]
            recalls = [f"{row[key]:.1f} ({chance[key]:.1f})" for key in RECALLS]
            rows.append([title, ranking, *recalls, f"{row['median_rank']:g}"])
    return rows


def _retrieval_table(scores):
    table = _new_table(
        f"Retrieval among {scores['images']} images and {scores['captions']} captions"
    )
    for title in RETRIEVAL_COLUMNS[:2]:
        table.add_column(title)
    _add_columns(table, *RETRIEVAL_COLUMNS[2:])
    for row in retrieval_rows(scores):
        table.add_row(*row)
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
    if "cosine" in scores:
        cosine = scores["cosine"]
        table.caption = (
            f"Cosine with the real image of the same caption: {cosine['matched']:.3f},"
            f" of another caption: {cosine['mismatched']:.3f}."
        )
    else:
        table.caption = "real: one half of the references, compared with the other half"
    return table


def _agreement_table(results):
    table = _new_table(
        f"Agreement with captions, by the dual encoder of {results['run']}"
    )
    table.add_column("images")
    _add_columns(table, "R-precision", "by chance", "median rank", "pairs")
    for name, row in results["rows"].items():
        figures = (f"{row[key]:.3f}" for key in ("r_precision", "chance"))
        table.add_row(name, *figures, f"{row['median_rank']:g}", f"{row['images']:,}")
    table.caption = "shuffled: the generated images with captions of others"
    return table


def _new_table(title):
    return Table(title=title, title_justify="left")


def _add_columns(table, *titles):
    for title in titles:
        table.add_column(title, justify="right")


def tables_to_text(tables: Iterable[Table]) -> str:
    """Formats tables as text, one below the other.

    Strangers choose names: they are no markup, and cannot control a terminal.

    Args:
        tables: tables of rich.

    Returns:
        Several lines of text, without a line break at the end.
    """
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=WIDTH, markup=False, emoji=False, color_system=None
    )
    for table in tables:
        console.print(table)
    lines = buffer.getvalue().rstrip().split("\n")
    return "\n".join(map(escape_unprintable, lines))
