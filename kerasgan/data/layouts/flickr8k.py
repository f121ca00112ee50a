"""Flickr8k: the original text files, and Kaggle's captions.txt."""

from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations, group_rows, read_text
from kerasgan.data.layouts.flickr import read_commas, read_token
from kerasgan.data.layouts.folders import find_file, find_images, walk
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

LISTS = {
    "train": "Flickr_8k.trainImages.txt",
    "val": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}


def read(config: DataConfig, source: Path) -> Annotations:
    """Flickr8k.token.txt with its lists of images, or captions.txt."""
    folders = walk(source) if source.is_dir() else [(source.parent, [source.name])]
    ledger = ReadReport()
    token = find_file(folders, lambda name: name == "Flickr8k.token.txt")
    commas = find_file(folders, lambda name: name == "captions.txt")
    if token is not None:
        layout, path, rows = "original .token", token, read_token(token, ledger)
    elif commas is not None:
        layout, path, rows = "Kaggle captions.txt", commas, read_commas(commas, ledger)
    else:
        raise UserError(
            f"No Flickr8k found in {source} or up to 3 folders below it. Looked for:\n"
            "  Flickr8k.token.txt (original), captions.txt (Kaggle)"
        )
    lists = {name: path.with_name(file) for name, file in LISTS.items()}
    lists = {name: file for name, file in lists.items() if file.is_file()}
    splits = {
        image: name
        for name, file in lists.items()
        for image in read_text(file, ledger).split()
    }
    rows = (row._replace(split=splits.get(row.name)) for row in rows)
    images = group_rows(rows, ledger)
    root = find_images(images, config.image_root, source)
    return Annotations(layout, [path, *lists.values()], root, images, ledger)
