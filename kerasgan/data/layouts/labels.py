"""Labels of COYO's pairs: from COYO-Labeled-300M, any table, or the pairs' own rows.

COYO-Labeled-300M (github.com/kakaobrain/coyo-dataset, subset/COYO-Labeled-300M) has the
columns id, url, imagehash, labels and label_probs: the 50 most probable of
ImageNet-21k's 21,841 classes by an EfficientNetV2-XL. Its ids are those of COYO-700M,
its imagehash is their image_phash, and it has no texts.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import clean_text
from kerasgan.data.file_names import is_hidden
from kerasgan.data.layouts.cells import cell_labels, cell_text
from kerasgan.data.layouts.columns import (
    LABEL_COLUMNS,
    check_unique_names,
    infer_column,
)
from kerasgan.data.layouts.img2dataset import normalize_key
from kerasgan.data.layouts.table import READERS
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

JOIN_COLUMNS = ("id", "url", "key")  # join pairs and labels; the first match is used
PHASH_COLUMNS = ("image_phash", "imagehash")
BATCH_SIZE = 8192  # rows; each has 100 numbers


class Labels(NamedTuple):
    """Labels of a pair.

    Attributes:
        names: names of the classes; empty if none is probable; None if there are none.
        phash: perceptual hash of the image, or None.
    """

    names: tuple[str, ...] | None
    phash: str | None


def label_files(path: str | None) -> list[Path]:
    """Lists the files of `--labels`.

    Args:
        path: a table, or a directory of Parquet files, or None.

    Returns:
        The files, resolved and sorted.

    Raises:
        UserError: If there is no such file, or its format is not supported.
    """
    if path is None:
        return []
    source = Path(path).expanduser().resolve()
    files = [source]
    if source.is_dir():
        files = sorted(source.rglob("*.parquet"))
        files = [file for file in files if not is_hidden(file.name)]
    if not files or not files[0].is_file():
        raise UserError(f"--labels {source}: expected a table or a folder of .parquet")
    if files[0].suffix.lower() not in READERS:
        raise UserError(f"--labels {source}: expected one of {', '.join(READERS)}")
    return files


def label_column(config: DataConfig, names: Iterable[str]) -> str | None:
    """Returns the column of labels.

    This is the column that the settings name, or the one of COYO-Labeled-300M, or else
    it is inferred.

    Args:
        config: settings of the data set.
        names: names of all columns.
    """
    names = list(names)
    if config.label_column is not None:
        return config.label_column if config.label_column in names else None
    if {"labels", "label_probs"} <= {*names}:
        return "labels"
    return infer_column(LABEL_COLUMNS, names)


def parse_labels(config: DataConfig, record: dict, column: str | None) -> Labels:
    """Returns the labels in a row.

    Args:
        config: settings of the data set.
        record: the row.
        column: the column of labels. Of a list of classes with `label_probs`, those are
            used whose probability reaches the threshold; only the most probable one,
            unless all labels are kept.
    """
    value, phash = record.get(column), None
    for name in PHASH_COLUMNS:
        phash = phash or clean_text(cell_text(record.get(name))) or None
    if isinstance(value, list) and "label_probs" in record:
        return Labels(_probable_names(config, value, record["label_probs"]), phash)
    names = cell_labels(value, config.missing_values, config.label_separators)
    names = tuple(filter(None, map(clean_text, names)))
    return Labels(names or None, phash)


def _probable_names(
    config: DataConfig, classes: list, probabilities: list | None
) -> tuple[str, ...] | None:
    """Returns the probable classes, the most probable first; None if damaged."""
    try:
        ranked = sorted(zip(probabilities, classes, strict=True), reverse=True)
        threshold = config.label_threshold
        names = [clean_text(cell_text(name)) for p, name in ranked if p >= threshold]
    except (TypeError, ValueError):  # missing, of another length, or not comparable
        return None
    names = [*filter(None, names if config.several_labels == "all" else names[:1])]
    return tuple(names) if ranked else None


def find_labels(
    config: DataConfig, keys: dict[str, set[str]], report: ReadReport
) -> dict[tuple[str, str], Labels]:
    """Finds the labels of pairs in the files of `--labels`.

    A file may have 300 million rows: it is read in batches, and only the labels of the
    given pairs are kept in memory.

    Args:
        config: settings of the data set.
        keys: values of the pairs in each of `JOIN_COLUMNS`.
        report: where malformed rows of a table are noted.

    Returns:
        Labels by join column and value; of several rows the first is used.

    Raises:
        UserError: If a file cannot be read or does not have the columns.
    """
    labels: dict[tuple[str, str], Labels] = {}
    for path in label_files(config.labels):
        names, records = _read_rows(path, keys, report)
        column = label_column(config, names)
        if column is None or not {*JOIN_COLUMNS} & {*names}:
            raise UserError(
                f"{path}: expected a column {' or '.join(JOIN_COLUMNS)} and a column "
                f"of labels. Received: {', '.join(names)}. Name the column of labels "
                "with --label-column."
            )
        for record in records:
            parsed = parse_labels(config, record, column)
            for name in JOIN_COLUMNS:
                value = join_value(name, record.get(name))
                if value in keys[name]:
                    labels.setdefault((name, value), parsed)
    return labels


def join_value(column: str, value: object) -> str | None:
    """Returns the value of a join column in the form in which it is compared."""
    text = clean_text(cell_text(value)) or None
    return normalize_key(text) if text and column == "key" else text


def _read_rows(
    path: Path, keys: dict[str, set[str]], report: ReadReport
) -> tuple[list[str], Iterable[dict]]:
    """Returns the columns of a table, and at least the rows that have the keys."""
    if path.suffix.lower() == ".parquet":
        return _read_parquet_rows(path, keys)
    table_report = ReadReport()
    names, numbered = READERS[path.suffix.lower()](path, table_report)
    records = [record for _, record in numbered]
    for text in table_report.notes:
        report.note(text)
    if table_report.bad_rows:
        lines = [example["line"] for example in table_report.examples]
        report.note(
            f"{path}: skipped {table_report.bad_rows} malformed rows, as in lines "
            f"{lines}"
        )
    return names, records


def _read_parquet_rows(
    path: Path, keys: dict[str, set[str]]
) -> tuple[list[str], Iterator[dict]]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        names = file.schema_arrow.names
    except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
        raise UserError(f"{path} cannot be read as Parquet: {error}") from error
    check_unique_names(names, path)
    columns = [name for name in JOIN_COLUMNS if name in names]

    def has_key(values: tuple) -> bool:
        return any(
            join_value(column, value) in keys[column]
            for column, value in zip(columns, values, strict=True)
        )

    def records() -> Iterator[dict]:
        try:
            for batch in file.iter_batches(BATCH_SIZE):
                values = [batch.column(name).to_pylist() for name in columns]
                rows = enumerate(zip(*values, strict=True))
                indices = [index for index, row in rows if has_key(row)]
                if indices:
                    yield from batch.take(pyarrow.array(indices)).to_pylist()
        except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
            raise UserError(f"{path} cannot be read as Parquet: {error}") from error

    return names, records()
