"""Flickr30k in each of the five layouts that it is handed around in."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations, CaptionRow, group_rows, read_text
from kerasgan.data.layouts.delimited import read_records
from kerasgan.data.layouts.flickr import read_bars, read_commas, read_token
from kerasgan.data.layouts.folders import find_file, find_images, walk
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

LAYOUTS = """\
  results.csv (Kaggle), captions.txt (Kaggle), results_20130124.token (original),
  dataset_flickr30k.json (Karpathy), flickr_annotations_30k.csv (Hugging Face),
  Sentences/*.txt (Flickr30k Entities)"""
ENTITY = re.compile(r"\[/EN#\S+ ([^\]]*)\]")


def read(config: DataConfig, source: Path) -> Annotations:
    """Annotations of the first layout found, in the order of `LAYOUTS`."""
    folders = walk(source) if source.is_dir() else [(source.parent, [source.name])]
    ledger = ReadReport()
    for layout, matches, reader in READERS:
        path = find_file(folders, matches)
        if path is None:
            continue
        rows, files = reader(path, ledger), [path]
        if reader is read_entities:
            files = sorted(path.parent.glob("*.txt")) + split_lists(path)
        images = group_rows(rows, ledger)
        root = find_images(images, config.image_root, source)
        return Annotations(layout, files, root, images, ledger)
    raise UserError(
        f"No Flickr30k found in {source} or up to 3 folders below it. Looked for:\n"
        f"{LAYOUTS}"
    )


def read_karpathy(path: Path, ledger: ReadReport) -> Iterator[CaptionRow]:
    """Karpathy and Fei-Fei's JSON, with its train, val and test images."""
    for index, image in enumerate(_images(path, ledger)):
        line = f"images[{index}]"
        try:
            captions = [sentence["raw"] for sentence in image["sentences"]]
            name, split = image["filename"], image.get("split")
        except (KeyError, TypeError):
            ledger.rows += 1
            ledger.skip("malformed row", path, line, json.dumps(image))
            continue
        yield CaptionRow(path, line, name, tuple(captions), key="", split=split)


def _images(path: Path, ledger: ReadReport) -> list:
    try:
        return json.loads(read_text(path, ledger))["images"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: expected a JSON object with the list 'images', found: {error!r}"
        ) from error


def read_hugging_face(path: Path, ledger: ReadReport) -> Iterator[CaptionRow]:
    """Columns raw (a JSON list in a string), split, filename."""
    names, records = read_records(path, read_text(path, ledger), ",", ledger)
    if not {"raw", "filename"} <= set(names):
        raise UserError(
            f"{path}:1: columns raw, split, filename expected; found {', '.join(names)}"
        )
    for line, record in records:
        try:
            captions = json.loads(record["raw"])
            assert all(isinstance(caption, str) for caption in captions)
        except (ValueError, TypeError, AssertionError):
            ledger.rows += 1
            ledger.skip("malformed row", path, line, str(record))
            continue
        name, split = record["filename"], record.get("split")
        yield CaptionRow(path, line, name, tuple(captions), key="", split=split)


def read_entities(path: Path, ledger: ReadReport) -> Iterator[CaptionRow]:
    """Plummer and others' Sentences/<id>.txt, a caption a line, marks taken off."""
    splits = {
        name: file.stem
        for file in split_lists(path)
        for name in read_text(file, ledger).split()
    }
    for file in sorted(path.parent.glob("*.txt")):
        captions = tuple(ENTITY.sub(r"\1", text) for text in _lines(file, ledger))
        yield CaptionRow(
            file, 1, f"{file.stem}.jpg", captions, split=splits.get(file.stem)
        )


def _lines(file: Path, ledger: ReadReport) -> list[str]:
    return read_text(file, ledger).split("\n") if file.stat().st_size else []


def split_lists(path: Path) -> list[Path]:
    """train.txt, val.txt and test.txt beside the folder Sentences."""
    lists = [path.parent.parent / f"{name}.txt" for name in ("train", "val", "test")]
    return [file for file in lists if file.is_file()]


READERS = [
    ("Kaggle results.csv", lambda name: name == "results.csv", read_bars),
    ("Kaggle captions.txt", lambda name: name == "captions.txt", read_commas),
    ("original .token", lambda name: name.endswith(".token"), read_token),
    ("Karpathy JSON", lambda name: name == "dataset_flickr30k.json", read_karpathy),
    (
        "Hugging Face CSV",
        lambda name: name == "flickr_annotations_30k.csv",
        read_hugging_face,
    ),
    ("Entities sentences", re.compile(r"\d+\.txt").fullmatch, read_entities),
]
