"""The results of `kerasgan search`, as text and as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

COLUMNS = {"query": str, "group": int, "rank": int, "score": float}
COLUMNS |= {"image": str, "caption": str, "state": str, "error": str}


def write_results(
    sections: Sequence[dict[str, Any]], out: str | None, as_json: bool
) -> None:
    """Prints the results, and writes them to a file.

    Args:
        sections: `title`, `note` and `results` of each query or group.
        out: path of a `.jsonl` or `.csv`, or None.
        as_json: whether JSON lines are printed instead of text.
    """
    from kerasgan.inference.prediction_writer import json_line, save_csv

    rows = [row for section in sections for row in _rows(section)]
    if out and out.lower().endswith(".csv"):
        save_csv(rows, COLUMNS, Path(out))
    elif out:
        Path(out).write_text("".join(map(json_line, rows)), encoding="utf-8")
    if as_json:
        click.echo("".join(map(json_line, rows)), nl=False)
    elif not out:
        click.echo("".join(map(_to_text, sections)), nl=False)


def _rows(section):
    """Returns the rows of a section for programs."""
    named = {"group": section["group"]} if "group" in section else {}
    named = named or {"query": section["title"]}
    if not section["results"]:
        return [named | {"error": section["note"]}]
    return [named | result for result in section["results"]]


def _to_text(section):
    from kerasgan.inference.prediction_writer import escape_unprintable

    lines = [section["title"]]
    if not section["results"]:
        lines.append(f"  {section['note']}")
    for result in section["results"]:
        line = f"  {result['rank']:>3}  {result['score']:.3f}  {result['image']}"
        line += f"  {result['caption']}"
        state = result.get("state")
        lines.append(line + (f"  [{state} since it was indexed]" if state else ""))
    return "".join(f"{escape_unprintable(line)}\n" for line in lines)
