"""Reads predictions and references from the files in which systems exchange them.

Tables (CSV, TSV, JSON Lines, Parquet), COCO's results and `captions_*.json`, Karpathy's
`dataset_*.json`, and the token files of Flickr30k and Flickr8k.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import (
    AnnotatedImage,
    CaptionRow,
    clean_text,
    group_rows,
    numbered_lines,
    read_text,
)
from kerasgan.data.layouts.coco import coco_rows, read_json
from kerasgan.data.layouts.columns import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    Columns,
    infer_column,
    infer_columns,
)
from kerasgan.data.layouts.flickr import (
    PIPE_HEADER,
    read_comma_separated,
    read_pipe_separated,
    read_token_file,
)
from kerasgan.data.layouts.karpathy import read_karpathy
from kerasgan.data.layouts.table import READERS, caption_rows, open_table
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.evaluation.class_probabilities import read_probabilities
from kerasgan.inference.prediction_writer import unescape_formula

MAX_BYTES = 1 << 30
FORMATS = (
    "a table (.csv, .tsv, .jsonl, .parquet), .json of COCO or of Karpathy, or a token"
    " file of Flickr"
)
ID_COLUMNS = [*IMAGE_COLUMNS, "image_id", "id", "name"]
SEVERAL_LABELS_COLUMNS = [*LABEL_COLUMNS, "labels", "classes"]
PREDICTED_COLUMNS = [
    *("predicted_class", "predicted_label", "predicted", "prediction"),
    *("predicted_classes", "predicted_labels", "predictions"),
]
CAPTIONS = Columns("image_id", ("caption",), None)  # of files that are no tables


@dataclass(frozen=True)
class AnnotatedFile:
    """The content of a file of predictions or references.

    Attributes:
        path: the file.
        images: its images by id.
        columns: the columns that were read; other formats than tables have captions.
    """

    path: Path
    images: dict[str, AnnotatedImage]
    columns: Columns = CAPTIONS


@dataclass(frozen=True)
class AnnotatedRows:
    """The rows of a file of predictions or references.

    Attributes:
        path: the file.
        rows: its rows.
        columns: see `AnnotatedFile`.
        probabilities: the result of `read_probabilities`.
    """

    path: Path
    rows: list[CaptionRow]
    columns: Columns = CAPTIONS
    probabilities: dict[int | str, np.ndarray] = field(default_factory=dict)

    @property
    def label_names(self) -> list[str]:
        """The different labels of all rows, sorted."""
        return sorted({clean_text(name) for row in self.rows for name in row.labels})

    @property
    def has_several_labels(self) -> bool:
        """Whether a row has several labels."""
        return any(len(row.labels) > 1 for row in self.rows)

    def group(self, report: ReadReport, several_labels: str = "all") -> AnnotatedFile:
        """Groups the rows by image.

        Args:
            report: where duplicate rows and labels that are not kept are counted.
            several_labels: see `DataConfig`.

        Returns:
            An `AnnotatedFile` with at least one image.

        Raises:
            UserError: no row can be used.
        """
        images = group_rows(
            self.rows, report, require_captions=False, several_labels=several_labels
        )
        if not images:
            raise UserError(f"{self.path} has no row that can be used.")
        return AnnotatedFile(self.path, images, self.columns)


def read_annotated_file(
    path: str | Path, config: DataConfig, report: ReadReport
) -> AnnotatedFile:
    """Reads a file of captions, see `read_annotated_rows` and `AnnotatedRows.group`.

    Args:
        path: the file.
        config: its columns, if it is a table.
        report: where malformed and duplicate rows are counted.
    """
    return read_annotated_rows(path, config, report).group(report)


def read_annotated_rows(
    path: str | Path,
    config: DataConfig,
    report: ReadReport,
    is_prediction: bool = False,
    label_names: Sequence[str] = (),
) -> AnnotatedRows:
    """Reads the rows of a file of predictions or references.

    Args:
        path: the file.
        config: its columns, if it is a table; those that are not named are inferred,
            and those that it does not have are ignored.
        report: where malformed rows are counted.
        is_prediction: whether columns of predicted classes are preferred to others.
        label_names: classes whose probabilities are read, if the table has them.

    Returns:
        An `AnnotatedRows`.

    Raises:
        UserError: the file cannot be read, has an unknown format, or lacks a column of
            images, or one of captions or classes.
    """
    path = Path(path)
    check_file(path)

    def read_table(names, records):
        columns = _find_columns(path, names, config, is_prediction)
        probabilities = {}
        records = read_probabilities(records, columns, label_names, probabilities)
        rows = list(caption_rows(path, records, columns))
        return AnnotatedRows(path, rows, columns, probabilities)

    suffix = path.suffix.lower()
    if suffix in READERS and not _has_pipe_header(path, report):
        names, records = open_table(path, report)
        if is_prediction and suffix == ".csv":
            records = map(_unescape_formulas, records)
        return read_table(names, records)
    if suffix == ".json":
        return _read_json_file(path, report, read_table)
    return AnnotatedRows(path, list(_text_rows(path, report)))


def check_file(path: Path) -> None:
    """Checks that a file can be read and is not too large.

    Args:
        path: the file.

    Raises:
        UserError: it cannot be read, is no file, or has more than `MAX_BYTES`.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}") from error
    if not path.is_file():
        raise UserError(f"{path} is not a file. Expected {FORMATS}.")
    if size > MAX_BYTES:
        raise UserError(f"{path} has {size:,} bytes. At most {MAX_BYTES:,} are read.")


def _has_pipe_header(path: Path, report: ReadReport) -> bool:
    """Returns whether it is Flickr30k's results.csv, whose quotes have no meaning."""
    if path.suffix.lower() != ".csv":
        return False
    header = next(numbered_lines(read_text(path, report)))[1]
    return [name.strip() for name in header.split("|")] == PIPE_HEADER


def _unescape_formulas(numbered_record):
    """Undoes what `save_csv` did to texts that begin like a formula."""
    number, record = numbered_record
    return number, {name: unescape_formula(text) for name, text in record.items()}


def _text_rows(path: Path, report: ReadReport) -> Iterator[CaptionRow]:
    """Reads Flickr's text files, which their first line tells apart."""
    if path.suffix.lower() == ".csv":
        return read_pipe_separated(path, report)
    first = next(numbered_lines(read_text(path, report)))[1]
    if re.match(r"[^\t]+#\d+\s*\t", first):
        return read_token_file(path, report)
    if [name.strip() for name in first.split(",")] == ["image", "caption"]:
        return read_comma_separated(path, report)
    raise UserError(f"{path} has an unknown format. Expected {FORMATS}.")


def _read_json_file(
    path: Path, report: ReadReport, read_table: Callable[..., AnnotatedRows]
) -> AnnotatedRows:
    content = read_json(path, report)
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        rows = coco_rows(path, content["annotations"], report)
        return AnnotatedRows(path, list(rows))
    if isinstance(content, dict) and isinstance(content.get("images"), list):
        return AnnotatedRows(path, list(read_karpathy(path, report)))
    if isinstance(content, dict):  # {image id: caption or list of captions}
        content = [{"image_id": key, "caption": text} for key, text in content.items()]
    records = _json_records(path, content, report)
    names = dict.fromkeys(name for _, record in records for name in record)
    return read_table(list(names), records)


def _json_records(path, content, report):
    if not isinstance(content, list):
        raise UserError(f"{path} must hold a JSON list or object. Expected {FORMATS}.")
    records = []
    for number, record in enumerate(content):
        if isinstance(record, dict):
            records.append((f"[{number}]", record))
        else:
            report.rows += 1
            report.skip("malformed row", path, f"[{number}]", str(record))
    return records


def _find_columns(
    path: Path, names: list[str], config: DataConfig, is_prediction: bool
) -> Columns:
    """Returns the columns of a table, named by the settings or inferred."""
    present = {
        "image_column": config.image_column if config.image_column in names else None,
        "label_column": config.label_column
        if config.label_column in ("", *names)
        else None,
        "caption_columns": [
            name for name in config.caption_columns or () if name in ("", *names)
        ]
        or None,
    }
    config = config.model_copy(update=present)
    columns = infer_columns(config, names, path)
    image = config.image_column or infer_column(ID_COLUMNS, names)
    label = columns.label
    if config.label_column is None:
        preferred = PREDICTED_COLUMNS if is_prediction else []
        label = infer_column([*preferred, *SEVERAL_LABELS_COLUMNS], names)
    separators = config.label_separators
    columns = replace(columns, image=image, label=label, label_separators=separators)
    if columns.image is None or not (columns.captions or columns.label):
        missing = "image ids" if columns.image is None else "captions or of classes"
        raise UserError(
            f"{path}: cannot infer the column of {missing}. Received:"
            f" {', '.join(map(repr, names))}. Name it with --image-column,"
            " --caption-column or --label-column."
        )
    return columns
