"""Reads WebDataset: tar files of images, texts, JSON and classes.

The files of a sample have the same path up to the first dot of their names, such as
`a/0001.jpg`, `a/0001.txt`, `a/0001.json` and `a/0001.cls`.
"""

import json
import posixpath
from collections.abc import Iterator
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import (
    Annotations,
    CaptionRow,
    clean_text,
    group_pairs,
    numbered_lines,
)
from kerasgan.data.images import IMAGE_SUFFIXES
from kerasgan.data.layouts.cells import cell_labels
from kerasgan.data.layouts.columns import infer_columns
from kerasgan.data.layouts.img2dataset import Shard, find_shards, read_member_text
from kerasgan.data.layouts.shard_members import ByteReader, tar_members
from kerasgan.data.layouts.splits import published_splits
from kerasgan.data.layouts.table import caption_rows
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

TEXT_EXTENSIONS = ("txt", "text", "caption")
CLASS_EXTENSIONS = ("cls", "class")

Members = dict[str, ByteReader | str]  # extension to what `tar_members` yields


def read(config: DataConfig, source: Path) -> Annotations:
    """Reads tar files.

    The captions of a sample are the lines of its text, or else those in its JSON. Its
    class is that of its `.cls`, or else that in its JSON. Files whose names contain
    train, val and test are splits.

    Args:
        config: settings of the data set; its columns are keys of the JSON objects.
        source: a tar file, or a directory with some, up to 3 folders below it.

    Returns:
        The annotations. Their images are read from the tar files.

    Raises:
        UserError: If there are no tar files, or no sample can be read.
    """
    shards = [shard for shard in find_shards(source) if shard.kind == "webdataset"]
    if not shards:
        raise UserError(f"Found no .tar in {source} or up to 3 folders below it.")
    report, rows = ReadReport(), []
    splits = published_splits(shard.name for shard in shards)
    for shard in shards:
        for row in _shard_rows(config, shard, report):
            rows.append(row._replace(split=splits.get(shard.name)))
    if not rows:
        counts = ", ".join(f"{n} × {why}" for why, n in report.skipped.most_common())
        raise UserError(f"No sample in {source} can be read: {counts or 'no images'}")
    has_captions = any(row.captions for row in rows)
    has_labels = any(row.labels for row in rows)
    images, labels = group_pairs(config, rows, report, has_captions, has_labels)
    files = [shard.path for shard in shards]
    return Annotations("tar files", files, source, images, report, labels)


def _shard_rows(
    config: DataConfig, shard: Shard, report: ReadReport
) -> Iterator[CaptionRow]:
    samples: dict[str, Members] = {}
    try:
        for name, member in tar_members(shard.path):
            folder, base = posixpath.split(name)
            stem, _, extension = base.partition(".")
            key = posixpath.join(folder, stem)
            members = samples.setdefault(key, {})
            if members.setdefault(extension.lower(), member) is not member:
                report.skip("duplicate file", shard.path, key, name, bad_rows=0)
    except Exception as error:  # tarfile raises any exception on malformed bytes
        _skip(report, "broken shard", shard, "", f"{type(error).__name__}: {error}")
    for key, members in samples.items():
        row = _sample_row(config, shard, key, members, report)
        if row is not None:
            yield row


def _sample_row(
    config: DataConfig, shard: Shard, key: str, members: Members, report: ReadReport
) -> CaptionRow | None:
    """Returns the row of a sample; None if it is skipped, which is counted."""
    images = [name for name in members if f".{name}".endswith(IMAGE_SUFFIXES)]
    image = members[images[0]] if images else "missing image"
    if isinstance(image, str):
        if images or members.keys() & {*TEXT_EXTENSIONS, *CLASS_EXTENSIONS, "json"}:
            _skip(report, image, shard, key, ", ".join(members))
        return None
    for name in images[1:]:
        value = f"{key}.{name}"
        report.skip("further image", shard.path, key, value, bad_rows=0)
    row = CaptionRow(shard.path, key, "")
    if "json" in members:
        try:
            record = json.loads(read_member_text(members["json"]))
            if not isinstance(record, dict):
                raise TypeError
        except (ValueError, TypeError, RecursionError):
            _skip(report, "malformed row", shard, key, "its JSON")
            return None
        named = [config.label_column, *(config.caption_columns or ())]
        names = [*record, *filter(None, named)]
        settings = config.model_copy(update={"image_column": ""})
        columns = infer_columns(settings, names, shard.path)
        (row,) = caption_rows(shard.path, iter([(0, record)]), columns)
    lines = numbered_lines(_read_first(members, TEXT_EXTENSIONS))
    captions = tuple(line for _, line in lines)
    labels: tuple[str, ...] = ()
    if config.label_column is None:
        text = clean_text(_read_first(members, CLASS_EXTENSIONS))
        labels = cell_labels(text, separators=config.label_separators)
    name = clean_text(f"{shard.name}/{key}")
    return row._replace(
        line=key,
        name=name,
        captions=captions or tuple(filter(None, row.captions)),
        key="",
        labels=labels or row.labels,
        read=image,
    )


def _read_first(members: Members, extensions: tuple[str, ...]) -> str:
    found = (members[name] for name in extensions if name in members)
    return read_member_text(next(found, "missing"))


def _skip(report: ReadReport, reason: str, shard: Shard, key: str, value: str) -> None:
    report.rows += 1
    report.skip(reason, shard.path, clean_text(key), clean_text(value))
