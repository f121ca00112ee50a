"""What people said of captions, beside the TF-IDF cosine, as text and as HTML."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from kerasgan.report.pages import HtmlTable, Section
from kerasgan.report.run_sections import read_result
from kerasgan.report.tables import CELLS, RATES, left_out_lines, tables_to_text
from kerasgan.runs import Run

COLUMNS = ("", "threshold", *RATES[:-1], "F1", *(cell.upper() for cell in CELLS))
THRESHOLDS = {"at_validated": "of the validation images", "at_half": "of the paper"}


def verdicts_text(
    results: Mapping[str, Any], similarity: Mapping[str, Any] | None = None
) -> str:
    """Formats what people said of captions.

    Args:
        results: the result of `evaluate_verdicts` or of `summarize_verdicts`.
        similarity: the same row of `results/similarity.json`; None if the captions are
            not those of a run.

    Returns:
        Several lines of text.
    """
    lines = [*_sentences(results), *left_out_lines(results)]
    if similarity:
        table = Table(title="TF-IDF cosine by verdicts", title_justify="left")
        table.add_column("")
        for name in COLUMNS[1:]:
            table.add_column(name, justify="right")
        for row in _rows(results, similarity):
            table.add_row(*row)
        lines.insert(0, tables_to_text([table]))
    return "\n".join(lines)


def verdict_sections(run: Run) -> list[Section]:
    """Shows the results of `evaluate_verdicts`, if there are any.

    Args:
        run: the run.
    """
    results, similarity = read_result(run, "verdicts"), read_result(run, "similarity")
    if not results or results["row"] not in (similarity or {"rows": {}})["rows"]:
        return []
    rows = _rows(results, similarity["rows"][results["row"]])
    table = HtmlTable(COLUMNS, rows, _sentences(results))
    title = "What people say, beside the TF-IDF cosine"
    return [Section(title, tables=[table])]


def _rows(results, similarity):
    """The cosine against mismatched pairs, and against what people called wrong."""
    sources = {"against mismatched pairs": similarity} | {
        f"verdict {title}": scores for title, scores in results["tfidf"].items()
    }
    rows = []
    for title, scores in sources.items():
        for key, origin in THRESHOLDS.items():
            found = scores[key]
            rates = [f"{found[rate]:.3f}" for rate in RATES]
            cells = [f"{found[cell]:,}" for cell in CELLS]
            name = f"{title}, threshold {origin}"
            rows.append([name, f"{found['threshold']:.3f}", *rates, *cells])
    return rows


def _sentences(results):
    shares = ", ".join(
        f"{verdict} {count} ({count / results['images']:.0%})"
        for verdict, count in results["verdicts"].items()
    )
    reviewers = ", ".join(f"{name} {n}" for name, n in results["reviewers"].items())
    sentences = [
        f"Verdicts on {results['images']} images: {shares}.",
        f"Reviewers and their verdicts: {reviewers}.",
        f"Captions with corrected words: {results['corrections']}.",
    ]
    for pair in results["agreement"]["cohen"]:
        names, kappa = " and ".join(pair["reviewers"]), _kappa(pair["kappa"])
        sentences.append(f"Cohen's kappa of {names}, {pair['images']} images: {kappa}.")
    if len(results["reviewers"]) > 1:
        agreement = results["agreement"]
        sentences.append(
            f"Fleiss' kappa of all reviewers, {agreement['images']} images:"
            f" {_kappa(agreement['fleiss'])}."
        )
    return sentences


def _kappa(value):
    return "undefined" if value is None else f"{value:.3f}"
