"""Results as tables of text."""

import io

from rich.console import Console
from rich.table import Table

from kerasgan.papers import A_CELLS, A_CLAIMED, A_ERRATA, recomputed

PROTOCOL = ("precision", "recall", "accuracy", "f1")
CAPTIONS = (
    ("bleu_1", "BLEU-1", "{:.1f}"),
    ("bleu_4", "BLEU-4", "{:.1f}"),
    ("rouge_l", "ROUGE-L", "{:.3f}"),
    ("cider_d", "CIDEr-D", "{:.3f}"),
    ("unique", "unique", "{:.2f}"),
    ("novel", "novel", "{:.2f}"),
    ("vocabulary", "words", "{:d}"),
)
IMAGES = (
    ("kid", "KID", "{:.4f}"),
    ("precision", "precision", "{:.2f}"),
    ("recall", "recall", "{:.2f}"),
    ("density", "density", "{:.2f}"),
    ("coverage", "coverage", "{:.2f}"),
    ("spread", "spread", "{:.2f}"),
)


def protocol_tables(results):
    """What `evaluate_captions` returned, for a person to read."""
    similarity, titles = results["similarity"], results["similarity"]["titles"]
    tables = [
        _judgements(similarity, titles, "at_validated", "threshold from validation"),
        _judgements(similarity, titles, "at_half", "threshold 0.5, the paper's"),
        _captions(results["captions"]["rows"], titles),
        _retrieval(results["retrieval"]),
    ]
    if "images" in results:
        tables.append(_images(results["images"]))
    return as_text(tables)


def _judgements(similarity, titles, at, title):
    table = Table(title=f"Same meaning or not: {title}", title_justify="left")
    table.add_column("captions")
    for name in ("AUC", "AUC*", "≥", *PROTOCOL, "TP", "FP", "FN", "TN"):
        table.add_column(name, justify="right")
    for name, row in similarity["rows"].items():
        found = row[at]
        table.add_row(
            titles[name],
            f"{row['auc']:.3f}",
            f"{row['auc_by_embedding']:.3f}",
            f"{found['threshold']:.3f}",
            *(f"{found[figure]:.3f}" for figure in PROTOCOL),
            *(str(found[cell]) for cell in ("tp", "fp", "fn", "tn")),
        )
    cells = [str(A_CELLS[cell]) for cell in ("tp", "fp", "fn", "tn")]
    for title, found in (
        ("paper A claims", A_CLAIMED),
        ("its cells add up to", recomputed()),
    ):
        rates = [f"{found[name]:.3f}" if name in found else "" for name in PROTOCOL]
        table.add_row(title, "", "", "0.500", *rates, *cells, style="italic")
    notes = ["* by the matcher's vectors of captions instead of TF-IDF's"]
    if at == "at_half":
        notes += ["Of paper A:", *A_ERRATA]
    table.caption, table.caption_justify = "\n".join(notes), "left"
    return table


def _captions(rows, titles):
    table = Table(title="The captions themselves", title_justify="left")
    table.add_column("captions")
    for _, title, _ in CAPTIONS:
        table.add_column(title, justify="right")
    for name, row in rows.items():
        table.add_row(
            titles[name], *(form.format(row[key]) for key, _, form in CAPTIONS)
        )
    return table


def _retrieval(found):
    title = f"Finding: {found['images']} images, {found['captions']} captions"
    table = Table(title=title, title_justify="left")
    for name in ("", "R@1", "R@5", "R@10", "median rank"):
        table.add_column(name, justify="right" if name else "left")
    for way, title in (
        ("image_to_text", "image → caption"),
        ("text_to_image", "caption → image"),
    ):
        row, chance = found[way], found["chance"][way]
        shown = [f"{row[k]:.1f} ({chance[k]:.1f})" for k in ("r1", "r5", "r10")]
        table.add_row(title, *shown, f"{row['median_rank']:g}")
    table.caption = "in brackets: by chance"
    return table


def _images(found):
    title = f"Generated images: {found['images']}, by features {found['features']}"
    table = Table(title=title, title_justify="left")
    table.add_column("images")
    for _, title, _ in IMAGES:
        table.add_column(title, justify="right")
    for name, row in found["sets"].items():
        table.add_row(name, *(form.format(row[key]) for key, _, form in IMAGES))
    cosine = found["cosine"]
    table.caption = (
        f"cosine with the image of the same caption {cosine['matched']:.3f}, with"
        f" another {cosine['mismatched']:.3f}"
    )
    return table


def as_text(tables):
    """Tables of rich, one below the other, as text."""
    console = Console(file=io.StringIO(), width=130)
    for table in tables:
        console.print(table)
    return console.file.getvalue().rstrip()
