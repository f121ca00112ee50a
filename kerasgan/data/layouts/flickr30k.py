"""Reads Flickr30k in each of the layouts in which it is distributed."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations, CaptionRow, group_rows, read_text
from kerasgan.data.file_names import is_hidden
from kerasgan.data.layouts.delimited import read_records
from kerasgan.data.layouts.flickr import (
    read_comma_separated,
    read_pipe_separated,
    read_token_file,
)
from kerasgan.data.layouts.folders import find_file, find_image_root, list_folders
from kerasgan.data.layouts.karpathy import read_karpathy
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

LAYOUTS = """\
  results.csv (Kaggle), captions.txt (Kaggle), results_20130124.token (original),
  dataset_flickr30k.json (Karpathy), flickr_annotations_30k.csv (Hugging Face),
  Sentences/*.txt (Flickr30k Entities)"""
ENTITY = re.compile(r"\[/EN#\S+ ([^\]]*)\]")


def read(config: DataConfig, source: Path) -> Annotations:
    """Reads Flickr30k.

    Args:
        config: settings of the data set.
        source: a directory, or an annotation file.

    Returns:
        The annotations of the first layout that is found, in the order of `LAYOUTS`.

    Raises:
        UserError: If no layout is found, or the annotations or images cannot be read.
    """
    folders = list_folders(source)
    report = ReadReport()
    for layout, is_layout_file, reader in READERS:
        path = find_file(folders, is_layout_file)
        if path is None:
            continue
        rows, files = reader(path, report), [path]
        if reader is read_entities:
            files = _entity_files(path) + _split_files(path)
        images = group_rows(rows, report)
        root = find_image_root(images, config.image_root, source)
        return Annotations(layout, files, root, images, report)
    raise UserError(
        f"No Flickr30k found in {source} or up to 3 folders below it. Expected one of:"
        f"\n{LAYOUTS}"
    )


def read_hugging_face(path: Path, report: ReadReport) -> Iterator[CaptionRow]:
    """Reads Hugging Face's table.

    Its columns are raw (a JSON list in a string), split and filename.

    Args:
        path: the file.
        report: where malformed rows are counted.

    Yields:
        One row for each image.

    Raises:
        UserError: If columns are missing.
    """
    names, records = read_records(path, read_text(path, report), ",", report)
    if not {"raw", "filename"} <= set(names):
        raise UserError(
            f"{path}:1: expected the columns raw, split, filename. Received: "
            f"{', '.join(names)}"
        )
    for line, record in records:
        captions = _parse_string_list(record["raw"])
        if captions is None:
            report.rows += 1
            report.skip("malformed row", path, line, str(record))
            continue
        name, split = record["filename"], record.get("split")
        yield CaptionRow(path, line, name, tuple(captions), key="", split=split)


def _parse_string_list(text: str) -> list[str] | None:
    try:
        values = json.loads(text)
        return values if all(isinstance(value, str) for value in values) else None
    except (ValueError, TypeError, RecursionError):
        return None


def read_entities(path: Path, report: ReadReport) -> Iterator[CaptionRow]:
    """Reads Flickr30k Entities (Plummer et al.): Sentences/<id>.txt.

    Each line is a caption, whose marks of entities are removed.

    Args:
        path: any of the files.
        report: where unusual encodings are noted.

    Yields:
        One row for each image.
    """
    splits = {
        name: file.stem
        for file in _split_files(path)
        for name in read_text(file, report).split()
    }
    for file in _entity_files(path):
        captions = tuple(ENTITY.sub(r"\1", text) for text in _read_lines(file, report))
        yield CaptionRow(
            file, 1, f"{file.stem}.jpg", captions, split=splits.get(file.stem)
        )


def _entity_files(path: Path) -> list[Path]:
    files = sorted(path.parent.glob("*.txt"))
    return [file for file in files if not is_hidden(file.name)]


def _read_lines(file: Path, report: ReadReport) -> list[str]:
    return read_text(file, report).split("\n") if file.stat().st_size else []


def _split_files(path: Path) -> list[Path]:
    """Returns train.txt, val.txt and test.txt beside the folder Sentences."""
    files = [path.parent.parent / f"{name}.txt" for name in ("train", "val", "test")]
    return [file for file in files if file.is_file()]


READERS: list[
    tuple[str, Callable[[str], object], Callable]
] = [  # name of the layout, whether a file name belongs to it, and its reader
    ("Kaggle results.csv", lambda name: name == "results.csv", read_pipe_separated),
    ("Kaggle captions.txt", lambda name: name == "captions.txt", read_comma_separated),
    ("original .token", lambda name: name.endswith(".token"), read_token_file),
    ("Karpathy JSON", lambda name: name == "dataset_flickr30k.json", read_karpathy),
    (
        "Hugging Face CSV",
        lambda name: name == "flickr_annotations_30k.csv",
        read_hugging_face,
    ),
    ("Entities sentences", re.compile(r"\d+\.txt").fullmatch, read_entities),
]
