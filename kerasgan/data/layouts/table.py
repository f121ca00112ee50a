"""A table of images: CSV, TSV, JSON lines or Parquet."""

import json
from collections.abc import Iterator
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import (
    Annotations,
    CaptionRow,
    drop_rare_labels,
    group_rows,
    label_names_of,
    numbered_lines,
    read_text,
)
from kerasgan.data.layouts.columns import Columns, refuse_repeated
from kerasgan.data.layouts.delimited import Record, read_records
from kerasgan.data.layouts.folders import existing_folder
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

BATCH = 1024  # rows of Parquet that are read at once


def read(config: DataConfig, source: Path) -> Annotations:
    """The table's rows, joined by image; every column that is used is noted."""
    ledger = ReadReport()
    names, records = open_table(source, ledger)
    columns = Columns.choose(config, names, source)
    ledger.note(str(columns))
    images = group_rows(
        rows(source, records, columns),
        ledger,
        captioned=bool(columns.captions) and not config.keep_uncaptioned,
        labelled=columns.label is not None,
    )
    if columns.label is not None:
        drop_rare_labels(images, config.label_minimum, ledger)
    root = existing_folder(config.image_root or str(source.parent))
    labels = label_names_of(images) if columns.label is not None else None
    return Annotations(f"table {source.suffix}", [source], root, images, ledger, labels)


def open_table(source: Path, ledger: ReadReport) -> tuple[list[str], Iterator[Record]]:
    """The names of a table's columns, and its records, read as they are asked for.

    Malformed rows are entered in `ledger`. UserError if it is no table, or two columns
    have one name.
    """
    if not source.is_file() or source.suffix.lower() not in READERS:
        raise UserError(
            f"--source {source}: a file ending in {', '.join(READERS)} expected"
        )
    names, records = READERS[source.suffix.lower()](source, ledger)
    refuse_repeated(names, source)
    return names, records


def rows(
    source: Path, records: Iterator[Record], columns: Columns
) -> Iterator[CaptionRow]:
    """The records as rows; a record that repeats another has its key."""
    for line, record in records:
        captions = [
            caption
            for column in columns.captions
            for caption in captions_in(record.get(column))
        ]
        label = text_of(record.get(columns.label)) if columns.label else None
        name = text_of(record.get(columns.image)).strip()
        key = json.dumps([captions, label])
        yield CaptionRow(source, line, name, tuple(captions), key, label)


def captions_in(value) -> list[str]:
    """One caption, or those of a list, or of a JSON list in a string."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            parsed = json.loads(value)
        except ValueError:
            return [value]
        if isinstance(parsed, list) and all(isinstance(item, str) for item in parsed):
            return parsed
    if isinstance(value, (list, tuple)):
        return [text_of(item) for item in value]
    return [text_of(value)]


def text_of(value) -> str:
    """A cell as text: nothing for a missing one, 3 for a 3.0."""
    if value is None or value != value:  # NaN is not itself
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def read_delimited(
    source: Path, ledger: ReadReport
) -> tuple[list[str], Iterator[Record]]:
    """CSV with the separator that its header shows, or TSV."""
    text = read_text(source, ledger)
    header = next(numbered_lines(text))[1]
    separator = "\t" if source.suffix == ".tsv" else max(",;\t|", key=header.count)
    return read_records(source, text, separator, ledger)


def read_json_lines(
    source: Path, ledger: ReadReport
) -> tuple[list[str], Iterator[Record]]:
    """One JSON object a line."""
    text = read_text(source, ledger)
    # Read twice: names may come up in any line, and records take ten times the room.
    names = dict.fromkeys(name for *_, found in _objects(text) for name in found or ())

    def records():
        for line, written, record in _objects(text):
            if record is None:
                ledger.rows += 1
                ledger.skip("malformed row", source, line, written)
            else:
                yield line, record

    return list(names), records()


def _objects(text: str) -> Iterator[tuple[int, str, dict | None]]:
    """(line number, the line, its object or None)."""
    for line, written in numbered_lines(text):
        try:
            record = json.loads(written)
        except (ValueError, RecursionError):
            record = None
        yield line, written, record if isinstance(record, dict) else None


def read_parquet(
    source: Path, ledger: ReadReport
) -> tuple[list[str], Iterator[Record]]:
    """Parquet; rows are numbered from 1."""
    import pyarrow
    import pyarrow.parquet

    def records():
        try:
            with pyarrow.parquet.ParquetFile(source) as file:
                yield file.schema_arrow.names
                for batch in file.iter_batches(BATCH):
                    yield from batch.to_pylist()
        except (OSError, pyarrow.ArrowException) as error:
            raise UserError(f"{source} cannot be read as Parquet: {error}") from error

    found = records()
    return next(found), enumerate(found, start=1)


READERS = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".jsonl": read_json_lines,
    ".parquet": read_parquet,
}
