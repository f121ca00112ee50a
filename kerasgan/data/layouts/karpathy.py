"""Reads the JSON files of Karpathy and Fei-Fei, `dataset_<name>.json`."""

import json
import posixpath
from collections.abc import Iterator
from pathlib import Path

from kerasgan.data.annotations import CaptionRow, read_text
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError


def read_karpathy(
    path: Path, report: ReadReport, with_folders: bool = False
) -> Iterator[CaptionRow]:
    """Reads Karpathy and Fei-Fei's JSON file, with its published split.

    Args:
        path: the file.
        report: where malformed entries are counted.
        with_folders: whether `filepath`, which COCO's has, is part of the name.

    Yields:
        One row for each image.

    Raises:
        UserError: If the file is not a JSON object with the list `images`.
    """
    for index, image in enumerate(_read_image_list(path, report)):
        line = f"images[{index}]"
        try:
            captions = [sentence["raw"] for sentence in image["sentences"]]
            name, split = image["filename"], image.get("split")
            folder = (image.get("filepath") or "") if with_folders else ""
            texts = (name, split or "", folder, *captions)
            if not all(isinstance(text, str) for text in texts):
                raise TypeError
        except (KeyError, TypeError):
            report.rows += 1
            report.skip("malformed row", path, line, json.dumps(image))
            continue
        name = posixpath.join(folder, name)
        yield CaptionRow(path, line, name, tuple(captions), key="", split=split)


def _read_image_list(path: Path, report: ReadReport) -> list:
    try:
        images = json.loads(read_text(path, report))["images"]
        if not isinstance(images, list):
            raise TypeError(type(images).__name__)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(
            f"{path}: expected a JSON object with the list 'images': {error!r}"
        ) from error
    return images
