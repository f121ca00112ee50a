"""Reads COCO: its captions_*.json, or Karpathy's dataset_coco.json."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations, CaptionRow, group_pairs, read_text
from kerasgan.data.layouts.cells import cell_text
from kerasgan.data.layouts.folders import find_image_root, list_folders, resolve_folder
from kerasgan.data.layouts.karpathy import read_karpathy
from kerasgan.data.layouts.splits import published_splits
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

CAPTION_FILE = re.compile(r"captions(?!.*results).*\.json")
KARPATHY_FILE = re.compile(r"dataset.*\.json")


def read(config: DataConfig, source: Path) -> Annotations:
    """Reads COCO, or another data set in its format.

    Of captions_train*.json and captions_val*.json together, the second one is the test
    split, because COCO's test images are published without captions.

    Args:
        config: settings of the data set; images are searched below `image_root`, by
            default the source, and for a file in `annotations/` the folder above.
        source: a directory, or a JSON file.

    Returns:
        The annotations.

    Raises:
        UserError: If there are no annotations or images.
    """
    files, report = annotation_files(source), ReadReport()
    if not files:
        raise UserError(
            f"No COCO found in {source} or up to 3 folders below it. Expected "
            "captions_*.json (COCO), or dataset_*.json (Karpathy)."
        )
    top = _image_folder(config, source)
    splits = published_splits(file.stem for file in files)
    rows_of = {file: list(_read_file(file, report)) for file in files}
    folders = {
        file: find_image_root(
            dict.fromkeys(row.name for row in rows if row.name), None, top
        )
        for file, rows in rows_of.items()
    }
    root = Path(os.path.commonpath(folders.values()))
    rows = []
    for file, file_rows in rows_of.items():
        folder = folders[file].relative_to(root)
        for row in file_rows:
            name = (folder / row.name).as_posix() if row.name else ""
            rows.append(
                row._replace(name=name, split=row.split or splits.get(file.stem))
            )
    images, _ = group_pairs(config, rows, report, has_captions=True, has_labels=False)
    layout = "captions" if CAPTION_FILE.fullmatch(files[0].name) else "Karpathy"
    return Annotations(f"{layout} JSON", files, root, images, report)


def annotation_files(source: Path) -> list[Path]:
    """Finds COCO's files of captions, or else Karpathy's file.

    Args:
        source: a directory, or the only file.

    Returns:
        The files in the first folder that has any, sorted.
    """
    if not source.is_dir():
        return [source] if source.suffix == ".json" else []
    folders = list_folders(source)
    for pattern in (CAPTION_FILE, KARPATHY_FILE):
        for folder, names in folders:
            found = [folder / name for name in sorted(names) if pattern.fullmatch(name)]
            if found:
                return found
    return []


def _image_folder(config: DataConfig, source: Path) -> Path:
    if config.image_root is not None:
        return resolve_folder(config.image_root)
    folder = source if source.is_dir() else source.parent
    is_file_of_coco = folder != source and folder.name == "annotations"
    return folder.parent if is_file_of_coco else folder


def read_json(path: Path, report: ReadReport) -> Any:
    """Reads a JSON file.

    Args:
        path: the file.
        report: where an unusual encoding is noted.

    Returns:
        Its content.

    Raises:
        UserError: If it cannot be read or is not JSON.
    """
    try:
        return json.loads(read_text(path, report))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}") from error


def _read_file(path: Path, report: ReadReport) -> Iterator[CaptionRow]:
    content = read_json(path, report)
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        raise UserError(f"{path}: expected a JSON object with the list 'images'.")
    if not isinstance(content.get("annotations"), list):
        yield from read_karpathy(path, report, with_folders=True)
        return
    names = {}
    for index, image in enumerate(content["images"]):
        try:
            number, name = cell_text(image["id"]).strip(), image["file_name"]
            if not isinstance(name, str):
                raise TypeError
            names[number] = name
        except (KeyError, TypeError):
            report.rows += 1
            report.skip("malformed row", path, f"images[{index}]", str(image))
    captioned = set()
    for row in coco_rows(path, content["annotations"], report):
        captioned.add(row.name)
        yield row._replace(name=names.get(row.name, ""))
    for number, name in names.items():
        if number not in captioned:
            yield CaptionRow(path, number, name)


def coco_rows(
    path: Path, annotations: list[Any], report: ReadReport
) -> Iterator[CaptionRow]:
    """Reads the list `annotations` of COCO's captions_*.json.

    Args:
        path: the file.
        annotations: the list.
        report: where malformed entries are counted.

    Yields:
        One row for each caption, by the number of the image.
    """
    for index, annotation in enumerate(annotations):
        line = f"annotations[{index}]"
        try:
            name, caption = annotation["image_id"], annotation["caption"]
        except (KeyError, TypeError):
            name = caption = None
        if name is None or not isinstance(caption, str):
            report.rows += 1
            report.skip("malformed row", path, line, str(annotation))
            continue
        key = str(annotation.get("id", index))
        yield CaptionRow(path, line, cell_text(name).strip(), (caption,), key)
