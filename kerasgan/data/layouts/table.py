"""Reads tables of images: CSV, TSV, JSON lines or Parquet."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import (
    Annotations,
    CaptionRow,
    group_pairs,
    numbered_lines,
    read_text,
)
from kerasgan.data.images import IMAGE_SUFFIXES
from kerasgan.data.layouts.cells import cell_captions, cell_labels
from kerasgan.data.layouts.columns import Columns, check_unique_names
from kerasgan.data.layouts.delimited import Record, read_records
from kerasgan.data.layouts.folders import resolve_folder
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

BATCH_SIZE = 1024  # rows of Parquet that are read at once


def read(config: DataConfig, source: Path) -> Annotations:
    """Reads a table of images.

    Args:
        config: settings of the data set.
        source: the table, or a directory of Parquet files with images.

    Returns:
        The annotations. The columns that are used are noted in the report.

    Raises:
        UserError: If the table cannot be read or its columns are unknown.
    """
    from kerasgan.data.layouts import embedded_images

    shards = embedded_images.find_embedded(config, source)
    if shards:
        return embedded_images.read(config, source, shards)
    report = ReadReport()
    names, records = open_table(source, report)
    columns = Columns.resolve(config, names, source)
    report.note(str(columns))
    missing: Counter[str] = Counter()
    images, labels = group_pairs(
        config,
        caption_rows(source, _count_missing(records, columns, missing), columns),
        report,
        has_captions=bool(columns.captions),
        has_labels=columns.label is not None,
    )
    if missing:
        words = ", ".join(f"{word} ({count})" for word, count in missing.most_common())
        report.note(f"cells without a value, see data.missing_values: {words}")
    root = resolve_folder(config.image_root or str(source.parent))
    return Annotations(f"table {source.suffix}", [source], root, images, report, labels)


def _count_missing(
    records: Iterator[Record], columns: Columns, counts: Counter[str]
) -> Iterator[Record]:
    images = columns.image, *columns.further_images
    names = [*filter(None, (*images, *columns.captions, columns.label))]
    for line, record in records:
        for name in names:
            text = record.get(name)
            if isinstance(text, str) and text.strip() in columns.missing_values:
                counts[text.strip()] += 1
        yield line, record


def open_table(source: Path, report: ReadReport) -> tuple[list[str], Iterator[Record]]:
    """Opens a table.

    Args:
        source: the table.
        report: where malformed rows are counted.

    Returns:
        The names of its columns, and an iterator that reads its records.

    Raises:
        UserError: If it is not a table, or two columns have the same name.
    """
    if not source.is_file() or source.suffix.lower() not in READERS:
        raise UserError(
            f"--source {source}: expected a file ending in {', '.join(READERS)}"
        )
    names, records = READERS[source.suffix.lower()](source, report)
    check_unique_names(names, source)
    return names, records


def caption_rows(
    source: Path, records: Iterator[Record], columns: Columns
) -> Iterator[CaptionRow]:
    """Converts records to rows, one for each image; the key of a row is its content.

    Args:
        source: the table.
        records: records of `open_table`.
        columns: the columns that are used.

    Yields:
        A row for each image of a record. Those of a record with several images have
        the same `record`.
    """
    missing = columns.missing_values
    for line, record in records:
        captions = [
            caption
            for column in columns.captions
            for caption in cell_captions(record.get(column), missing)
        ]
        cell = record.get(columns.label) if columns.label else None
        labels = cell_labels(cell, missing, columns.label_separators)
        key = json.dumps([captions, labels])
        names = _image_names(record, columns)
        joined = str(line) if len(names) > 1 else None
        for name in names or [""]:
            row = CaptionRow(source, line, name, tuple(captions), key, labels)
            yield row._replace(record=joined)


def _image_names(record: dict, columns: Columns) -> list[str]:
    """Returns the different file names of images in a record.

    A cell may have several, as a list, or separated by semicolons if each has the
    suffix of an image.
    """
    names: dict[str, None] = {}
    for column in filter(None, (columns.image, *columns.further_images)):
        for cell in cell_captions(record.get(column), columns.missing_values):
            found = [name.strip() for name in cell.split(";")]
            found = [name for name in found if name]
            if not all(name.lower().endswith(IMAGE_SUFFIXES) for name in found):
                found = [cell.strip()]
            names |= dict.fromkeys(filter(None, found))
    return list(names)


def read_delimited(
    source: Path, report: ReadReport
) -> tuple[list[str], Iterator[Record]]:
    """Reads CSV, whose separator is inferred from the header, or TSV.

    Args:
        source: the table.
        report: where malformed rows are counted.

    Returns:
        The names of its columns, and its records.

    Raises:
        UserError: If the table cannot be read.
    """
    text = read_text(source, report)
    header = next(numbered_lines(text))[1]
    separator = "\t" if source.suffix == ".tsv" else max(",;\t|", key=header.count)
    return read_records(source, text, separator, report)


def read_json_lines(
    source: Path, report: ReadReport
) -> tuple[list[str], Iterator[Record]]:
    """Reads a file with a JSON object in each line.

    Args:
        source: the table.
        report: where malformed rows are counted.

    Returns:
        The names of its columns, and its records.

    Raises:
        UserError: If the file cannot be read.
    """
    text = read_text(source, report)
    # Parsed twice: any line may have other columns, and records take ten times as much
    # memory as the text.
    names = dict.fromkeys(name for *_, record in _parse(text) for name in record or ())

    def records() -> Iterator[Record]:
        for number, line, record in _parse(text):
            if record is None:
                report.rows += 1
                report.skip("malformed row", source, number, line)
            else:
                yield number, record

    return list(names), records()


def _parse(text: str) -> Iterator[tuple[int, str, dict | None]]:
    """Yields number and text of each line, and its object or None."""
    for number, line in numbered_lines(text):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        yield number, line, record if isinstance(record, dict) else None


def read_parquet(
    source: Path, report: ReadReport
) -> tuple[list[str], Iterator[Record]]:
    """Reads Parquet; rows are numbered from 1.

    Args:
        source: the table.
        report: not used; Parquet has no malformed rows.

    Returns:
        The names of its columns, and its records.

    Raises:
        UserError: If the file cannot be read, also while the records are read.
    """
    import pyarrow
    import pyarrow.parquet

    def read_all() -> Iterator:
        """Yields the names of the columns, then the rows."""
        try:
            with pyarrow.parquet.ParquetFile(source) as file:
                yield file.schema_arrow.names
                for batch in file.iter_batches(BATCH_SIZE):
                    yield from batch.to_pylist()
        except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
            raise UserError(f"{source} cannot be read as Parquet: {error}") from error

    items = read_all()
    return next(items), enumerate(items, start=1)


READERS = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".jsonl": read_json_lines,
    ".parquet": read_parquet,
}
