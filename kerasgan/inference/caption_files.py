"""Captions from a file."""

import re
import sys
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import clean_text
from kerasgan.data.layouts.columns import infer_columns
from kerasgan.data.layouts.table import READERS, caption_rows, open_table
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

OTHER_SUFFIXES = (".json", ".html", ".xml", ".yaml", ".xlsx", ".pdf")


def read_captions(path: str, report: ReadReport | None = None) -> list[str]:
    """Reads captions: one a line, or the column of captions of a table.

    Args:
        path: a text file in UTF-8, `-` for standard input, or a table (CSV, TSV, JSON
            Lines or Parquet) with a column `caption`, or another name of captions that
            the data set `table` knows.
        report: where malformed rows of a table are counted.

    Returns:
        The captions in their order. Empty ones are left out.

    Raises:
        UserError: the file cannot be read, or has no caption.
    """
    if Path(path).suffix.lower() in READERS:
        texts = _read_table(Path(path), report or ReadReport())
    elif Path(path).suffix.lower() in OTHER_SUFFIXES:
        raise UserError(
            f"{path} is no text file with a caption a line. Expected one, or a table"
            f" ({', '.join(READERS)})."
        )
    else:
        texts = _read_lines(path)
    captions = [text for text in map(clean_text, texts) if text]
    if not captions:
        raise UserError(f"{path} has no captions.")
    return captions


def _read_table(path, report):
    if not path.is_file():
        raise UserError(f"Cannot read {path}: No such file")
    names, records = open_table(path, report)
    columns = infer_columns(DataConfig(dataset="table"), names, path)
    if not columns.captions:
        raise UserError(
            f"{path} has no column of captions. Received: {', '.join(map(repr, names))}"
            ". Rename it to caption."
        )
    rows = caption_rows(path, records, columns)
    return [text for row in rows for text in row.captions]


def _read_lines(path):
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return re.split("\r\n|\r|\n", content.decode("utf-8-sig"))
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: {error}") from error
