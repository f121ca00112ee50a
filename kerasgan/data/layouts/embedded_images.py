"""Reads Parquet files that contain the images themselves.

These are bytes, or structs with the fields `bytes` and `path` as Hugging Face's
libraries write them, or lists of either.
"""

import dataclasses
import functools
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations, CaptionRow, group_pairs
from kerasgan.data.image_labels import label_number
from kerasgan.data.layouts.columns import IMAGE_COLUMNS, image_columns, infer_columns
from kerasgan.data.layouts.img2dataset import Shard, find_shards, read_table
from kerasgan.data.layouts.shard_members import ByteReader, read_cell
from kerasgan.data.layouts.splits import published_splits
from kerasgan.data.layouts.table import caption_rows
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

BYTES_COLUMNS = [*IMAGE_COLUMNS, "image_bytes", "bytes", "jpg", "jpeg", "png", "webp"]
BATCH_SIZE = 64  # rows that are read at once to find out where images are


def find_embedded(config: DataConfig, source: Path) -> list[Shard]:
    """Finds Parquet files with images.

    Args:
        config: the columns of images, if they are named.
        source: a file, or a directory with some, up to 3 folders below it.

    Returns:
        The files whose columns of images have images and not names; none if the source
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
        return bool(_image_columns(config, pyarrow.parquet.read_schema(path)))
    except (OSError, UnicodeDecodeError, pyarrow.ArrowException):
        return bool(damaged)


def _image_columns(config: DataConfig, schema: "pyarrow.Schema") -> list[str]:
    """Returns the columns of images; none if one of them does not contain any."""
    found = [field.name for field in schema if _holds_images(field.type)]
    names = image_columns(config, found, BYTES_COLUMNS)
    return names if set(names) <= set(found) else []


def _holds_images(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    kind = kind.value_type if _is_list(kind) else kind
    if types.is_struct(kind):
        index = kind.get_field_index("bytes")
        kind = kind.field(index).type if index >= 0 else kind
    return types.is_binary(kind) or types.is_large_binary(kind)


def _is_list(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    tests = types.is_list, types.is_large_list, types.is_fixed_size_list
    return any(test(kind) for test in tests)


def read(config: DataConfig, source: Path, shards: list[Shard]) -> Annotations:
    """Reads Parquet files with images.

    Args:
        config: settings of the data set. Columns that are not named are inferred.
        source: a file or directory.
        shards: the result of `find_embedded`.

    Returns:
        The annotations. Their images are read from the files; their names are those
        of the files with the number of the row from 0, and with that of the image if
        a row has several.

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

    schema = pyarrow.parquet.read_schema(shard.path)
    images = _image_columns(config, schema)
    columns = infer_columns(config, schema.names, shard.path)
    columns = dataclasses.replace(columns, image=None, further_images=())
    others = str(columns).partition("; ")[2]
    report.note(f"columns: image {', '.join(images)}; {others}")
    names = {*columns.captions, *filter(None, [columns.label])}
    num_rows = pyarrow.parquet.read_metadata(shard.path).num_rows
    records = read_table(shard.path, names) if names else [{}] * num_rows
    classes = _class_names(schema, columns.label)
    rows = caption_rows(shard.path, enumerate(records), columns)
    readers = _image_readers(shard.path, images)
    for row, row_readers in zip(rows, readers, strict=True):
        labels = row.labels if classes is None else _named(row.labels, classes)
        row = row._replace(name=f"{shard.name}/{row.line}", key="", labels=labels)
        yield from _rows_of_images(row, row_readers)


def _rows_of_images(row: CaptionRow, readers: list[ByteReader]) -> Iterator[CaptionRow]:
    if len(readers) == 1:
        yield row._replace(read=readers[0])
        return
    for number, read in enumerate(readers):
        name = f"{row.name}/{number}"
        yield row._replace(name=name, read=read, record=row.name)


def _image_readers(path: Path, names: list[str]) -> Iterator[list[ByteReader]]:
    """Yields functions that read the images of each row; one if there are none."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        paths = _bytes_paths(file, names)
        groups = range(file.metadata.num_row_groups)
        sizes = (file.metadata.row_group(group).num_rows for group in groups)
        cells = (
            (group, row) for group, size in enumerate(sizes) for row in range(size)
        )
        for cell, images in zip(cells, _locate_images(file, paths), strict=True):
            yield [
                functools.partial(read_cell, path, tuple(paths.values()), *cell, *image)
                for image in images or [(names[0], 0)]
            ]


def _bytes_paths(
    file: "pyarrow.parquet.ParquetFile", names: list[str]
) -> dict[str, str]:
    """Returns the path in the schema of Parquet of each column's bytes."""
    leaves = [file.schema.column(index).path for index in range(len(file.schema))]
    paths = {}
    for name in names:
        own = [leaf for leaf in leaves if leaf == name or leaf.startswith(f"{name}.")]
        fields = [leaf for leaf in own if leaf.endswith(".bytes")]
        paths[name] = min(fields, key=len, default=own[0])
    return paths


def _locate_images(
    file: "pyarrow.parquet.ParquetFile", paths: dict[str, str]
) -> Iterator[list[tuple[str, int | None]]]:
    """Yields column and position of the images of each row that are not missing."""
    first, *further = paths
    if not further and not _is_list(file.schema_arrow.field(first).type):
        # Whether it is missing turns out when it is read.
        yield from itertools.repeat([(first, None)], file.metadata.num_rows)
        return
    leaves = {file.schema.column(index).path for index in range(len(file.schema))}
    # Structs are missing with all of their fields, of which `path` is read faster.
    small = [re.sub(r"\.bytes$", ".path", path) for path in paths.values()]
    pairs = zip(small, paths.values(), strict=True)
    columns = [path if path in leaves else full for path, full in pairs]
    for batch in file.iter_batches(BATCH_SIZE, columns=columns):
        for row in range(batch.num_rows):
            yield [
                (name, position)
                for name in paths
                for position in _valid_positions(batch.column(name)[row])
            ]


def _valid_positions(cell: "pyarrow.Scalar") -> list[int | None]:
    import pyarrow

    if not cell.is_valid:
        return []
    if not isinstance(cell, pyarrow.ListScalar):
        return [None]
    return [position for position, item in enumerate(cell) if item.is_valid]


def _named(numbers: Iterable[str], classes: list[str]) -> tuple[str, ...]:
    """Returns the names of classes that are given as numbers; -1 is none."""
    known = (label_number(number) for number in numbers)
    return tuple(classes[x] for x in known if x is not None and x < len(classes))


def _class_names(schema: "pyarrow.Schema", label: str | None) -> list[str] | None:
    """Returns the names that Hugging Face's `ClassLabel` numbers, or None."""
    try:
        metadata = json.loads((schema.metadata or {})[b"huggingface"])
        feature = metadata["info"]["features"][label]
        names = feature.get("feature", feature)["names"]  # of a `Sequence`
        return names if all(isinstance(name, str) for name in names) else None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
