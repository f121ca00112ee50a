"""Reads predictions and references from the files in which systems exchange them.

Tables (CSV, TSV, JSON Lines, Parquet), COCO's results and `captions_*.json`, Karpathy's
`dataset_*.json`, and the token files of Flickr30k and Flickr8k.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import (
    AnnotatedImage,
    CaptionRow,
    clean_text,
    group_rows,
    numbered_lines,
    read_text,
)
from kerasgan.data.images import IMAGE_SUFFIXES
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
from kerasgan.inference.prediction_writer import unescape_formula

MAX_BYTES = 1 << 30
FORMATS = (
    "a table (.csv, .tsv, .jsonl, .parquet), .json of COCO or of Karpathy, or a token"
    " file of Flickr"
)
ID_COLUMNS = [*IMAGE_COLUMNS, "image_id", "id", "name"]
PREDICTED_COLUMNS = ["predicted_class", "predicted_label", "predicted", "prediction"]
CAPTIONS = Columns("image_id", ("caption",), None)  # of files that are no tables
# The id in a file name of COCO: COCO_val2014_000000391895.jpg, 000000391895.jpg.
COCO_NUMBER = re.compile(r"(?:COCO_\w+_)?0*(\d+)")


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


def read_annotated_file(
    path: str | Path,
    config: DataConfig,
    report: ReadReport,
    is_prediction: bool = False,
) -> AnnotatedFile:
    """Reads a file of predictions or references.

    Args:
        path: the file.
        config: its columns, if it is a table; those that are not named are inferred,
            and those that it does not have are ignored.
        report: where malformed and duplicate rows are counted.
        is_prediction: whether columns of predicted classes are preferred to others.

    Returns:
        An `AnnotatedFile` with at least one image.

    Raises:
        UserError: the file cannot be read, has an unknown format or no row, or lacks a
            column of images, or one of captions or classes.
    """
    path = Path(path)
    check_file(path)
    suffix = path.suffix.lower()
    columns = CAPTIONS
    if suffix in READERS and not _has_pipe_header(path, report):
        names, records = open_table(path, report)
        if is_prediction and suffix == ".csv":
            records = map(_unescape_formulas, records)
        columns, rows = _table_rows(path, names, records, config, is_prediction)
    elif suffix == ".json":
        columns, rows = _json_rows(path, config, report, is_prediction)
    else:
        rows = _text_rows(path, report)
    images = group_rows(rows, report, require_captions=False)
    if not images:
        raise UserError(f"{path} has no row that can be used.")
    return AnnotatedFile(path, images, columns)


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


def _json_rows(
    path: Path, config: DataConfig, report: ReadReport, is_prediction: bool
) -> tuple[Columns, Iterable[CaptionRow]]:
    content = read_json(path, report)
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        return CAPTIONS, coco_rows(path, content["annotations"], report)
    if isinstance(content, dict) and isinstance(content.get("images"), list):
        return CAPTIONS, read_karpathy(path, report)
    if isinstance(content, dict):  # {image id: caption or list of captions}
        content = [{"image_id": key, "caption": text} for key, text in content.items()]
    records = _json_records(path, content, report)
    names = dict.fromkeys(name for _, record in records for name in record)
    return _table_rows(path, list(names), iter(records), config, is_prediction)


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


def _table_rows(
    path: Path,
    names: list[str],
    records: Iterator[tuple[Any, dict]],
    config: DataConfig,
    is_prediction: bool,
) -> tuple[Columns, Iterator[CaptionRow]]:
    """Returns the columns of a table, and its rows."""
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
    if config.label_column is None and is_prediction:
        label = infer_column([*PREDICTED_COLUMNS, *LABEL_COLUMNS], names)
    columns = replace(columns, image=image, label=label, label_separators="")
    if columns.image is None or not (columns.captions or columns.label):
        missing = "image ids" if columns.image is None else "captions or of classes"
        raise UserError(
            f"{path}: cannot infer the column of {missing}. Received:"
            f" {', '.join(map(repr, names))}. Name it with --image-column,"
            " --caption-column or --label-column."
        )
    return columns, caption_rows(path, records, columns)


def image_key(name: str) -> str:
    """Returns what identifies an image in files that spell its id differently.

    Args:
        name: an id, a file name or a path.

    Returns:
        The file name without folders and without the suffix of an image; of a file
        name of COCO only the number.
    """
    stem, suffix = os.path.splitext(re.split(r"[/\\]", name)[-1])
    if suffix.lower() not in IMAGE_SUFFIXES:
        stem += suffix
    match = COCO_NUMBER.fullmatch(stem)
    return match[1] if match else stem


def match_predictions(
    predictions: AnnotatedFile,
    references: Mapping[str, AnnotatedImage],
    report: ReadReport,
) -> dict[str, AnnotatedImage]:
    """Finds the reference image of each prediction.

    An id is compared as it is, and otherwise by `image_key`.

    Args:
        predictions: the predictions.
        references: the reference images by id.
        report: where unknown images and further predictions of an image are counted.

    Returns:
        The predictions by the ids of the references.

    Raises:
        UserError: no prediction belongs to a reference image.
    """
    counts = Counter(map(image_key, references))
    ids = {image_key(name): name for name in references}
    ids = {key: name for key, name in ids.items() if counts[key] == 1}
    matched: dict[str, AnnotatedImage] = {}
    for name, image in predictions.images.items():
        reference = name if name in references else ids.get(image_key(name))
        if reference is None:
            report.skip("unknown image", image.file, image.line, name)
        elif reference in matched:
            report.skip("further prediction", image.file, image.line, name)
        else:
            matched[reference] = image
    if not matched:
        raise UserError(
            f"None of the {len(predictions.images):,} images of {predictions.path} is"
            f" among the {len(references):,} references. The first ones are"
            f" {_quoted(predictions.images)} and {_quoted(references)}."
        )
    return matched


def _quoted(names):
    return ", ".join(repr(clean_text(name)[:60]) for name in list(names)[:3])
