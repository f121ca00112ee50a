"""A table of pictures: CSV, TSV, JSON lines or Parquet."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

from kerasgan.config import DataConfig
from kerasgan.data.annotations import (
    Annotations,
    Row,
    drop_uncommon,
    join_rows,
    names_of_labels,
    numbered_lines,
    read_text,
)
from kerasgan.data.layouts.columns import Columns
from kerasgan.data.layouts.folders import existing_folder
from kerasgan.data.ledger import Ledger
from kerasgan.errors import UserError

Record = tuple[int, dict]  # line or row number from 1, column to value


def read(config: DataConfig, source: Path) -> Annotations:
    """The table's rows, joined by picture; every column that is used is noted."""
    if not source.is_file() or source.suffix.lower() not in READERS:
        raise UserError(
            f"--source {source}: a file ending in {', '.join(READERS)} expected"
        )
    ledger = Ledger()
    names, records = READERS[source.suffix.lower()](source, ledger)
    columns = Columns.choose(config, names, source)
    ledger.note(str(columns))
    pictures = join_rows(
        rows(source, records, columns),
        ledger,
        captioned=bool(columns.captions) and not config.keep_captionless,
        labelled=columns.label is not None,
    )
    if columns.label is not None:
        drop_uncommon(pictures, config.label_minimum, ledger)
    root = existing_folder(config.image_root or str(source.parent))
    labels = names_of_labels(pictures) if columns.label is not None else None
    return Annotations(
        f"table {source.suffix}", [source], root, pictures, ledger, labels
    )


def rows(source: Path, records: Iterator[Record], columns: Columns) -> Iterator[Row]:
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
        yield Row(source, line, name, tuple(captions), key, label)


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


def read_delimited(source: Path, ledger: Ledger) -> tuple[list[str], Iterator[Record]]:
    """CSV with the separator that its header shows, or TSV."""
    text = read_text(source, ledger)
    header = next(numbered_lines(text))[1]
    separator = "\t" if source.suffix == ".tsv" else max(",;\t|", key=header.count)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = [name.strip() for name in next(table)]
    return names, _records(source, table, names, ledger)


def _records(source: Path, table, names: list[str], ledger: Ledger):
    try:
        for cells in table:
            if not cells:
                continue
            if len(cells) != len(names):
                ledger.rows += 1
                value = f"{len(cells)} cells for {len(names)} columns: {cells}"
                ledger.skip("malformed row", source, table.line_num, value)
                continue
            yield table.line_num, dict(zip(names, cells))
    except csv.Error as error:
        raise UserError(f"{source}:{table.line_num}: {error}") from error


def read_json_lines(source: Path, ledger: Ledger) -> tuple[list[str], Iterator[Record]]:
    """One JSON object a line."""
    records, names = [], {}
    for line, text in numbered_lines(read_text(source, ledger)):
        try:
            record = json.loads(text)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            ledger.rows += 1
            ledger.skip("malformed row", source, line, text)
            continue
        names.update(dict.fromkeys(record))
        records.append((line, record))
    return list(names), iter(records)


def read_parquet(source: Path, ledger: Ledger) -> tuple[list[str], Iterator[Record]]:
    """Parquet; rows are numbered from 1."""
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(source)
    except (OSError, pyarrow.ArrowException) as error:
        raise UserError(f"{source} cannot be read as Parquet: {error}") from error
    return table.column_names, iter(enumerate(table.to_pylist(), start=1))


READERS = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".jsonl": read_json_lines,
    ".parquet": read_parquet,
}
