"""CSV and TSV, read so that an unpaired quote swallows no row."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from kerasgan.data.images import IMAGE_SUFFIXES
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

Record = tuple[int, dict]  # line or row number from 1, column to value


def read_records(
    source: Path, text: str, separator: str, ledger: ReadReport
) -> tuple[list[str], Iterator[Record]]:
    """The columns' names, and the rows by the first line of each.

    Blank lines are passed over. A row that cannot be read is entered in `ledger`, and
    reading goes on with the line below its first, so that only this one is lost.
    """
    lines = io.StringIO(text, newline="").readlines()
    header = next(n for n, line in enumerate(lines) if not line.isspace())
    try:
        names, used = _cells(lines, header, separator)
    except csv.Error as error:
        raise UserError(f"{source}:{header + 1}: {error} in the header") from error
    names = [name.strip() for name in names]
    return names, _records(source, lines, header + used, names, separator, ledger)


def _records(source, lines, at, names, separator, ledger):
    while at < len(lines):
        used = 1
        if not lines[at].isspace():
            try:
                cells, used = _row(lines, at, separator, len(names))
                yield at + 1, dict(zip(names, cells))
            except csv.Error as error:
                ledger.rows += 1
                value = f"{error}: {lines[at].rstrip()}"
                ledger.skip("malformed row", source, at + 1, value)
        at += used


def _row(lines: list[str], at: int, separator: str, width: int):
    """As `_cells`; csv.Error also where it holds other rows or too many cells."""
    cells, used = _cells(lines, at, separator)
    if len(cells) != width:
        raise csv.Error(f"{len(cells)} cells for {width} columns")
    for line in lines[at + 1 : at + used]:
        inside = [cell.strip().lower() for cell in line.split(separator)]
        if len(inside) >= width and any(
            cell.endswith(IMAGE_SUFFIXES) for cell in inside
        ):
            raise csv.Error("unpaired quote")
    return cells, used


def _cells(lines: list[str], at: int, separator: str) -> tuple[list[str], int]:
    """The cells of the row that begins at a line, and on how many lines it stands."""
    rest = (lines[n] for n in range(at, len(lines)))
    table = csv.reader(rest, delimiter=separator, strict=True)
    return next(table), table.line_num
