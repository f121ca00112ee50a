"""Captions from a file."""

import sys
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import clean_text
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.inference.inputs import inputs_from_table

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")


def read_captions(path: str) -> list[str]:
    """Reads captions: one a line, or a column of a table.

    Args:
        path: a text file in UTF-8, `-` for standard input, or a table (CSV, TSV, JSON
            Lines or Parquet) with a column that is inferred as that of captions.

    Returns:
        The captions in their order. Empty ones are left out.

    Raises:
        UserError: the file cannot be read, or has no caption.
    """
    if Path(path).suffix.lower() in TABLE_SUFFIXES:
        config = DataConfig(dataset="table", source=path)
        texts = [row.text for row in inputs_from_table(config, ReadReport())]
    else:
        texts = _read_text(path).splitlines()
    captions = [text for text in map(clean_text, texts) if text]
    if not captions:
        raise UserError(f"{path} has no captions.")
    return captions


def _read_text(path):
    try:
        if path == "-":
            return sys.stdin.read()
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: {error}") from error
