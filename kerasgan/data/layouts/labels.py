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
from kerasgan.data.layouts.columns import (
    LABEL_COLUMNS,
    check_unique_names,
    infer_column,
)
from kerasgan.data.layouts.img2dataset import normalize_key
from kerasgan.data.layouts.table import READERS, cell_text
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

JOIN_COLUMNS = ("id", "url", "key")  # join pairs and labels; the first match is used
PHASH_COLUMNS = ("image_phash", "imagehash")
BATCH_SIZE = 8192  # rows; each has 100 numbers
UNCERTAIN = ""  # the label if the most probable class is below the threshold


class Label(NamedTuple):
    """Label of a pair.

    Attributes:
        name: name of the class, `UNCERTAIN`, or None.
        phash: perceptual hash of the image, or None.
    """

    name: str | None
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


def parse_label(config: DataConfig, record: dict, column: str | None) -> Label:
    """Returns the label in a row.

    Args:
        config: settings of the data set.
        record: the row.
        column: the column of labels. Of a list of classes the most probable is used if
            its probability reaches the threshold.
    """
    value, phash = record.get(column), None
    for name in PHASH_COLUMNS:
        phash = phash or clean_text(cell_text(record.get(name))) or None
    if isinstance(value, list):
        probabilities = record.get("label_probs")
        value = _most_probable(value, probabilities, config.label_threshold)
        return Label(value, phash)
    return Label(clean_text(cell_text(value, config.missing_values)) or None, phash)


def _most_probable(
    classes: list, probabilities: list | None, threshold: float
) -> str | None:
    try:
        probability, best = max(zip(probabilities, classes, strict=True))
        return clean_text(cell_text(best)) if probability >= threshold else UNCERTAIN
    except (TypeError, ValueError):  # missing, of another length, or not comparable
        return None


def find_labels(
    config: DataConfig, keys: dict[str, set[str]], report: ReadReport
) -> dict[tuple[str, str], Label]:
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
    labels: dict[tuple[str, str], Label] = {}
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
            label = parse_label(config, record, column)
            for name in JOIN_COLUMNS:
                value = join_value(name, record.get(name))
                if value in keys[name]:
                    labels.setdefault((name, value), label)
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
