"""Reads folders of images with classes, texts, or Hugging Face's metadata."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import (
    Annotations,
    CaptionRow,
    group_pairs,
    numbered_lines,
    read_text,
)
from kerasgan.data.image_sources import find_image
from kerasgan.data.images import IMAGE_SUFFIXES, BadImage
from kerasgan.data.layouts.columns import Columns, infer_columns
from kerasgan.data.layouts.folders import find_images, list_folders, resolve_folder
from kerasgan.data.layouts.img2dataset import MAX_TEXT_BYTES
from kerasgan.data.layouts.splits import published_splits
from kerasgan.data.layouts.table import caption_rows, open_table
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

METADATA_FILES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


def read(config: DataConfig, source: Path) -> Annotations:
    """Reads a folder of images.

    With `metadata.csv`, `.jsonl` or `.parquet`, as Hugging Face's ImageFolder defines
    it, the column `file_name` is relative to the folder of the file. Otherwise, folders
    are classes if there are two or more with images, in the order of
    `keras.utils.image_dataset_from_directory`, and the lines of `a.txt` are captions of
    `a.jpg` in the same folder. Folders called train, val and test are splits.

    Args:
        config: settings of the data set; an empty `label_column` ignores classes.
        source: the folder.

    Returns:
        The annotations.

    Raises:
        UserError: If there are no images, or the metadata cannot be read.
    """
    root, report = resolve_folder(str(source)), ReadReport()
    files = metadata_files(root)
    if files:
        rows, columns = _metadata_rows(config, root, files, report)
        layout = f"Hugging Face {files[0].name}"
        has_captions = any(names.captions for names in columns)
        has_labels = any(names.label for names in columns)
        rows = _with_splits(rows)
    else:
        rows, files = _file_rows(root, report)
        has_captions = bool(files)
        rows = _with_labels(config, _with_splits(rows))
        has_labels = any(row.labels for row in rows)
        layout = "class folders" if has_labels else "images"
        layout += " with texts" * has_captions
    if not rows:
        raise UserError(f"Found no images in {source} or below it.")
    images, labels = group_pairs(config, rows, report, has_captions, has_labels)
    if labels and not layout.startswith("Hugging"):
        labels = sorted(labels)  # not numerically
    return Annotations(layout, files, root, images, report, labels)


def metadata_files(source: Path) -> list[Path]:
    """Finds Hugging Face's metadata in a directory and up to 3 folders below it.

    Args:
        source: the directory.

    Returns:
        The first of `METADATA_FILES` in each folder that has one.
    """
    found = []
    for folder, names in list_folders(source):
        found += [folder / name for name in METADATA_FILES if name in names][:1]
    return found


def _metadata_rows(
    config: DataConfig, root: Path, files: list[Path], report: ReadReport
) -> tuple[list[CaptionRow], list[Columns]]:
    rows, all_columns = [], []
    for path in files:
        names, records = open_table(path, report)
        if config.image_column is None and "file_name" in names:
            config = config.model_copy(update={"image_column": "file_name"})
        columns = infer_columns(config, names, path)
        if columns.image is None:
            raise UserError(
                f"{path} has no column file_name. Received: {', '.join(names)}. Name "
                "it with --image-column."
            )
        folder = PurePosixPath(path.parent.relative_to(root).as_posix())
        for row in caption_rows(path, records, columns):
            name = str(folder / row.name) if row.name else ""
            rows.append(row._replace(name=name))
        report.note(f"{path.relative_to(root)}: {columns}")
        all_columns.append(columns)
    return rows, all_columns


def _file_rows(root: Path, report: ReadReport) -> tuple[list[CaptionRow], list[Path]]:
    """Returns a row for each image, and the text files of captions."""
    names = list(find_images(root, (*IMAGE_SUFFIXES, ".txt")))
    texts = {_stem(name): name for name in names if name.lower().endswith(".txt")}
    rows, files, unusual = [], [], ReadReport()
    for name in names:
        if name.lower().endswith(".txt"):
            continue
        text = texts.pop(_stem(name), None)
        captions: tuple[str, ...] = ()
        if text is not None:
            files.append(root / text)
            captions = tuple(_read_lines(root, text, unusual))
        rows.append(CaptionRow(root / name, "", name, captions))
    for name in texts.values():
        report.skip("text without an image", root / name, "", name, bad_rows=0)
    if unusual.notes:
        report.note(f"{len(unusual.notes)} texts are not UTF-8: {unusual.notes[0]}")
    return rows, files


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]


def _read_lines(root: Path, name: str, report: ReadReport) -> Iterator[str]:
    """Yields the lines of a text file; none if it cannot be used."""
    try:
        file = find_image(root, name)
        if file.status.st_size > MAX_TEXT_BYTES:
            return
        text = read_text(Path(file.path), report)
    except (BadImage, UserError):  # the image counts as one without a caption
        return
    yield from (line for _, line in numbered_lines(text))


def _with_splits(rows: list[CaptionRow]) -> list[CaptionRow]:
    splits = published_splits({_first_folder(row.name) for row in rows})
    return [row._replace(split=splits.get(_first_folder(row.name))) for row in rows]


def _first_folder(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""


def _with_labels(config: DataConfig, rows: list[CaptionRow]) -> list[CaptionRow]:
    """Adds the first folder, below that of a split, as the class of each image."""
    if config.label_column == "":
        return rows
    labels = [
        _first_folder(row.name.partition("/")[2] if row.split else row.name)
        for row in rows
    ]
    if len({*labels} - {""}) < 2:
        return rows
    pairs = zip(rows, labels, strict=True)
    return [row._replace(labels=(label,) if label else ()) for row, label in pairs]
