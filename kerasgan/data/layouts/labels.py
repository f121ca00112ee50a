"""Classes of COYO's pairs: from COYO-Labeled-300M, any table, or the pairs' own rows.

COYO-Labeled-300M (github.com/kakaobrain/coyo-dataset, subset/COYO-Labeled-300M) has
the columns id, url, imagehash, labels and label_probs: the 50 likeliest of
ImageNet-21k's 21,841 classes by an EfficientNetV2-XL. Its ids are COYO-700M's, its
imagehash is their image_phash, and it has no texts.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import clean_text
from kerasgan.data.layouts.columns import LABEL, guess
from kerasgan.data.layouts.img2dataset import plain_key
from kerasgan.data.layouts.table import READERS, text_of
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

KEYS = ("id", "url", "key")  # what pairs and labels are joined by, the first that fits
BATCH = 8192  # rows; each has 100 numbers
UNSURE = ""  # the label where the likeliest class is below the threshold


class Label(NamedTuple):
    """A class, UNSURE, or None; and the image's perceptual hash, if it is known."""

    name: str | None
    phash: str | None


def label_files(path: str | None) -> list[Path]:
    """The files of `--labels`, a table or a directory of Parquet parts."""
    if path is None:
        return []
    source = Path(path).expanduser().resolve()
    files = sorted(source.rglob("*.parquet")) if source.is_dir() else [source]
    if not files or not files[0].is_file():
        raise UserError(f"--labels {source}: a table or a folder of .parquet expected")
    if files[0].suffix.lower() not in READERS:
        raise UserError(f"--labels {source}: one of {', '.join(READERS)} expected")
    return files


def label_column(config: DataConfig, names: Iterable[str]) -> str | None:
    """The column that tells the class: the named one, COYO-Labeled's, or a guess."""
    names = list(names)
    if config.label_column is not None:
        return config.label_column if config.label_column in names else None
    return "labels" if {"labels", "label_probs"} <= {*names} else guess(LABEL, names)


def label_of(config: DataConfig, record: dict, column: str | None) -> Label:
    """What one row says; of a list of classes the likeliest, above the threshold."""
    value, phash = record.get(column), None
    for name in ("image_phash", "imagehash"):
        phash = phash or clean_text(text_of(record.get(name))) or None
    if isinstance(value, list):
        value = _likeliest(value, record.get("label_probs"), config.label_threshold)
        return Label(value, phash)
    return Label(clean_text(text_of(value)) or None, phash)


def _likeliest(classes: list, probabilities, threshold: float) -> str | None:
    try:
        probability, best = max(zip(probabilities, classes, strict=True))
    except (TypeError, ValueError):  # none, other lengths, or things without order
        return None
    return clean_text(text_of(best)) if probability >= threshold else UNSURE


def find_labels(
    config: DataConfig, wanted: dict[str, set[str]], ledger: ReadReport
) -> dict[tuple[str, str], Label]:
    """The labels of some pairs: (key column, value) to label; the first one counts.

    Args:
        wanted: of each of KEYS the pairs' values. A file of 300 million rows is read
            batch by batch, and only what is wanted stays in memory.
        ledger: where malformed rows of a table are noted.
    """
    found: dict[tuple[str, str], Label] = {}
    for path in label_files(config.labels):
        names, records = _rows(path, wanted, ledger)
        column = label_column(config, names)
        if column is None or not {*KEYS} & {*names}:
            raise UserError(
                f"{path}: a column {' or '.join(KEYS)} and one with the labels "
                f"expected, found {', '.join(names)}. Name the labels' column with "
                "--label-column."
            )
        for record in records:
            label = label_of(config, record, column)
            for name in KEYS:
                value = key_of(name, record.get(name))
                if value in wanted[name]:
                    found.setdefault((name, value), label)
    return found


def key_of(name: str, value) -> str | None:
    """An id, url or key in the form in which they are compared."""
    text = clean_text(text_of(value)) or None
    return plain_key(text) if text and name == "key" else text


def _rows(path: Path, wanted: dict[str, set[str]], ledger: ReadReport):
    """The names of a table's columns, and its records or those that are wanted."""
    if path.suffix.lower() == ".parquet":
        return _parquet_rows(path, wanted)
    own = ReadReport()
    names, numbered = READERS[path.suffix.lower()](path, own)
    records = [record for _, record in numbered]
    for text in own.notes:
        ledger.note(text)
    if own.bad_rows:
        lines = [example["line"] for example in own.examples]
        ledger.note(f"{path}: {own.bad_rows} malformed rows, as in lines {lines}")
    return names, records


def _parquet_rows(path: Path, wanted: dict[str, set[str]]):
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise UserError(f"{path} cannot be read as Parquet: {error}") from error
    names = file.schema_arrow.names
    keys = [name for name in KEYS if name in names]

    def records():
        for batch in file.iter_batches(BATCH):
            columns = [batch.column(name).to_pylist() for name in keys]
            hits = [
                number
                for number, values in enumerate(zip(*columns))
                if any(key_of(k, v) in wanted[k] for k, v in zip(keys, values))
            ]
            if hits:
                yield from batch.take(pyarrow.array(hits)).to_pylist()

    return names, records()
