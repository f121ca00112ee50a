"""Reads Parquet files that contain the images themselves.

These are bytes, or structs with the fields `bytes` and `path` as Hugging Face's
libraries write them.
"""

import dataclasses
import functools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations, CaptionRow, group_pairs
from kerasgan.data.layouts.columns import IMAGE_COLUMNS, infer_column, infer_columns
from kerasgan.data.layouts.img2dataset import Shard, find_shards, read_table
from kerasgan.data.layouts.shard_members import read_cell
from kerasgan.data.layouts.splits import published_splits
from kerasgan.data.layouts.table import caption_rows
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

if TYPE_CHECKING:
    import pyarrow

BYTES_COLUMNS = [*IMAGE_COLUMNS, "image_bytes", "bytes", "jpg", "jpeg", "png", "webp"]


def find_embedded(config: DataConfig, source: Path) -> list[Shard]:
    """Finds Parquet files with images.

    Args:
        config: the column of images, if it is named.
        source: a file, or a directory with some, up to 3 folders below it.

    Returns:
        The files whose column of images has images and not names; none if the source
        does not exist.
    """
    if not source.is_dir() and source.suffix.lower() != ".parquet":
        return []
    shards = find_shards(source) if source.exists() else []
    parquet = [shard for shard in shards if shard.kind == "parquet"]
    found = [shard for shard in parquet if _has_images(config, shard.path)]
    # Damaged ones are counted if there are others.
    return [shard for shard in parquet if _has_images(config, shard.path, found)]


def _has_images(config: DataConfig, path: Path, damaged: object = False) -> bool:
    import pyarrow
    import pyarrow.parquet

    try:
        return _image_column(config, pyarrow.parquet.read_schema(path)) is not None
    except (OSError, UnicodeDecodeError, pyarrow.ArrowException):
        return bool(damaged)


def _image_column(config: DataConfig, schema: "pyarrow.Schema") -> str | None:
    """Returns the path in the schema of a column with the bytes of images, or None."""
    paths = {}
    for field in schema:
        if str(field.type) in ("binary", "large_binary"):
            paths[field.name] = field.name
        if str(field.type).startswith("struct<") and "bytes: " in str(field.type):
            paths[field.name] = f"{field.name}.bytes"
    name = config.image_column or infer_column(BYTES_COLUMNS, list(paths))
    return paths.get(name or "")


def read(config: DataConfig, source: Path, shards: list[Shard]) -> Annotations:
    """Reads Parquet files with images.

    Args:
        config: settings of the data set. Columns that are not named are inferred.
        source: a file or directory.
        shards: the result of `find_embedded`.

    Returns:
        The annotations. Their images are read from the files; their names are those
        of the files with the number of the row from 0.

    Raises:
        UserError: If a column does not exist, or no row can be read.
    """
    report = ReadReport()
    rows = list(embedded_rows(config, shards, report))
    if not rows:
        report.check_bad_rows(0)
        raise UserError(f"{source} has no rows.")
    has_captions = any(any(row.captions) for row in rows)
    has_labels = any(row.labels for row in rows)
    images, labels = group_pairs(config, rows, report, has_captions, has_labels)
    files = [shard.path for shard in shards]
    layout = "Parquet with images"
    return Annotations(layout, files, source, images, report, labels)


def embedded_rows(
    config: DataConfig, shards: list[Shard], report: ReadReport
) -> Iterator[CaptionRow]:
    """Reads the rows of Parquet files with images, but not the images.

    Args:
        config: see `read`.
        shards: the result of `find_embedded`.
        report: where damaged files are counted.

    Yields:
        A row for each image.

    Raises:
        UserError: If a column does not exist.
    """
    splits = published_splits(shard.name for shard in shards)
    for shard in shards:
        try:
            for row in _shard_rows(config, shard, report):
                yield row._replace(split=splits.get(shard.name))
        except UserError:
            raise
        except Exception as error:  # decoders raise any exception on malformed bytes
            report.rows += 1
            report.skip("broken shard", shard.path, "", str(error))


def _shard_rows(
    config: DataConfig, shard: Shard, report: ReadReport
) -> Iterator[CaptionRow]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(shard.path) as file:
        schema, metadata = file.schema_arrow, file.metadata
        groups = range(metadata.num_row_groups)
        sizes = [metadata.row_group(group).num_rows for group in groups]
    image = _image_column(config, schema)
    assert image is not None
    columns = infer_columns(config, schema.names, shard.path)
    columns = dataclasses.replace(columns, image=None)
    report.note(f"columns: image {image}; {str(columns).partition('; ')[2]}")
    names = {*columns.captions, *filter(None, [columns.label])}
    cells = [(group, row) for group, size in enumerate(sizes) for row in range(size)]
    records = read_table(shard.path, names) if names else [{} for _ in cells]
    classes = _class_names(schema, columns.label)
    rows = caption_rows(shard.path, enumerate(records), columns)
    for number, (row, cell) in enumerate(zip(rows, cells, strict=True)):
        labels = row.labels if classes is None else _named(row.labels, classes)
        read_image = functools.partial(read_cell, shard.path, image, *cell)
        name = f"{shard.name}/{number}"
        yield row._replace(name=name, key="", labels=labels, read=read_image)


def _named(numbers: Iterable[str], classes: list[str]) -> tuple[str, ...]:
    """Returns the names of classes that are given as numbers; -1 is none."""
    known = (number for number in numbers if number.isdecimal())
    return tuple(classes[int(x)] for x in known if int(x) < len(classes))


def _class_names(schema: "pyarrow.Schema", label: str | None) -> list[str] | None:
    """Returns the names that Hugging Face's `ClassLabel` numbers, or None."""
    try:
        metadata = json.loads((schema.metadata or {})[b"huggingface"])
        feature = metadata["info"]["features"][label]
        names = feature.get("feature", feature)["names"]  # of a `Sequence`
        return names if all(isinstance(name, str) for name in names) else None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
