"""Reads CSV and TSV, so that an unpaired quote costs one row only."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from kerasgan.data.images import IMAGE_SUFFIXES
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

Record = tuple[int, dict]  # line or row number from 1, and a dict of column to value


def read_records(
    source: Path, text: str, separator: str, report: ReadReport
) -> tuple[list[str], Iterator[Record]]:
    """Reads a table with a header.

    Blank lines are ignored. A row that cannot be read is counted in `report`, and
    reading continues with the line after its first, so that only this row is lost.

    Args:
        source: the file, for messages.
        text: content of the file.
        separator: character between two cells.
        report: where malformed rows are counted.

    Returns:
        The names of the columns, and an iterator over the rows. A row is numbered by
        its first line.

    Raises:
        UserError: If the header is malformed.
    """
    lines = io.StringIO(text, newline="").readlines()
    header = next(n for n, line in enumerate(lines) if not line.isspace())
    try:
        names, num_lines = _read_cells(lines, header, separator)
    except csv.Error as error:
        raise UserError(f"{source}:{header + 1}: malformed header: {error}") from error
    names = [name.strip() for name in names]
    start = header + num_lines
    return names, _read_rows(source, lines, start, names, separator, report)


def _read_rows(
    source: Path,
    lines: list[str],
    index: int,
    names: list[str],
    separator: str,
    report: ReadReport,
) -> Iterator[Record]:
    while index < len(lines):
        num_lines = 1
        if not lines[index].isspace():
            try:
                cells, num_lines = _read_row(lines, index, separator, len(names))
                yield index + 1, dict(zip(names, cells, strict=True))
            except csv.Error as error:
                report.rows += 1
                value = f"{error}: {lines[index].rstrip()}"
                report.skip("malformed row", source, index + 1, value)
        index += num_lines


def _read_row(
    lines: list[str], index: int, separator: str, num_columns: int
) -> tuple[list[str], int]:
    """Reads a row like `_read_cells`, and checks it.

    Raises:
        csv.Error: If the row is malformed, has a wrong number of cells or contains
            other rows.
    """
    cells, num_lines = _read_cells(lines, index, separator)
    if len(cells) != num_columns:
        raise csv.Error(f"{len(cells)} cells for {num_columns} columns")
    for line in lines[index + 1 : index + num_lines]:
        line_cells = [cell.strip().lower() for cell in line.split(separator)]
        if len(line_cells) >= num_columns and any(
            cell.endswith(IMAGE_SUFFIXES) for cell in line_cells
        ):
            raise csv.Error("unpaired quote")
    return cells, num_lines


def _read_cells(lines: list[str], index: int, separator: str) -> tuple[list[str], int]:
    """Returns the cells of the row that starts at a line, and its number of lines."""
    rest = (lines[n] for n in range(index, len(lines)))
    reader = csv.reader(rest, delimiter=separator, strict=True)
    return next(reader), reader.line_num
