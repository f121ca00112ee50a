"""Reads Flickr8k: the original text files, or Kaggle's captions.txt."""

from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations, group_rows, read_text
from kerasgan.data.layouts.flickr import read_comma_separated, read_token_file
from kerasgan.data.layouts.folders import find_file, find_image_root, list_folders
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

SPLIT_FILES = {
    "train": "Flickr_8k.trainImages.txt",
    "val": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}


def read(config: DataConfig, source: Path) -> Annotations:
    """Reads Flickr8k.token.txt with its lists of images, or else captions.txt.

    Args:
        config: settings of the data set.
        source: a directory, or an annotation file.

    Returns:
        The annotations.

    Raises:
        UserError: If no layout is found, or the annotations or images cannot be read.
    """
    folders = list_folders(source)
    report = ReadReport()
    token_file = find_file(folders, lambda name: name == "Flickr8k.token.txt")
    caption_file = find_file(folders, lambda name: name == "captions.txt")
    if token_file is not None:
        layout, path = "original .token", token_file
        rows = read_token_file(path, report)
    elif caption_file is not None:
        layout, path = "Kaggle captions.txt", caption_file
        rows = read_comma_separated(path, report)
    else:
        raise UserError(
            f"No Flickr8k found in {source} or up to 3 folders below it. Expected one "
            "of:\n  Flickr8k.token.txt (original), captions.txt (Kaggle)"
        )
    split_files = {name: path.with_name(file) for name, file in SPLIT_FILES.items()}
    split_files = {name: file for name, file in split_files.items() if file.is_file()}
    splits = {
        image: name
        for name, file in split_files.items()
        for image in read_text(file, report).split()
    }
    rows = (row._replace(split=splits.get(row.name)) for row in rows)
    images = group_rows(rows, report)
    root = find_image_root(images, config.image_root, source)
    return Annotations(layout, [path, *split_files.values()], root, images, report)
