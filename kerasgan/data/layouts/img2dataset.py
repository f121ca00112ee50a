"""Reads the shards that img2dataset writes: tar files, folders, or Parquet with images.

From its writer.py and downloader.py (version 1.47): a shard is `00000.tar`, `00000/` or
`00000.parquet`. The first two have their metadata, including failures, in a
`00000.parquet` beside them, and those of successes as JSON inside. Rows are in the
order in which downloads ended. `--caption_col text` is renamed to `caption`; `id` and
`image_phash` exist only if they were listed as additional columns. `width` and `height`
are those of the downloaded image and are not used here.
"""

import functools
import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kerasgan.data.images import BadImage
from kerasgan.data.layouts.folders import list_folders
from kerasgan.data.layouts.shard_members import (
    ByteReader,
    folder_members,
    read_cell,
    tar_members,
)
from kerasgan.errors import UserError

if TYPE_CHECKING:
    import pyarrow

IMAGE_EXTENSIONS = ("jpg", "jpeg", "png", "webp")  # img2dataset's --encode_format
STATUS_COLUMNS = {"key", "status", "error_message"}
MAX_TEXT_BYTES = 1 << 20  # of one caption or JSON file


class Shard(NamedTuple):
    """One shard.

    Attributes:
        name: its path relative to the source, without suffix.
        kind: img2dataset's --output_format.
        path: the tar file, folder or Parquet file.
        metadata: the Parquet file of its metadata, or None.
    """

    name: str
    kind: str
    path: Path
    metadata: Path | None = None


class Sample(NamedTuple):
    """One row of a shard.

    Attributes:
        key: its normalized key.
        record: its metadata.
        read: a function that reads its image, or the reason why it cannot be read.
    """

    key: str
    record: dict
    read: ByteReader | str


class SkippedRow(NamedTuple):
    """Arguments of `ReadReport.skip`; `bad_rows` is 0 if the download failed."""

    reason: str
    file: Path
    line: str
    value: str
    bad_rows: int = 1


@dataclass
class ShardContent:
    """The content of one shard.

    Attributes:
        shard: the shard.
        samples: rows with an image.
        skipped: rows without an image.
        has_images: whether it is a shard, and not metadata without images.
    """

    shard: Shard
    samples: list[Sample] = field(default_factory=list)
    skipped: list[SkippedRow] = field(default_factory=list)
    has_images: bool = True


def find_shards(source: Path) -> list[Shard]:
    """Finds the shards in a directory and up to 3 folders below it.

    Args:
        source: a directory, or a single shard.

    Returns:
        The shards, sorted by name.

    Raises:
        UserError: If the source does not exist.
    """
    if not source.exists():
        raise UserError(f"--source {source} does not exist")
    folders = list_folders(source)
    root = source if source.is_dir() else source.parent
    shards, metadata_files = [], set()
    for folder, files in folders:
        tars = [folder / name for name in files if name.endswith(".tar")]
        candidates = [("webdataset", path) for path in tars if path.is_file()]
        if folder != root and _is_shard_folder(files):
            candidates.append(("files", folder))
        for kind, path in candidates:
            metadata = path.with_name(f"{path.name.removesuffix('.tar')}.parquet")
            metadata_files.add(metadata)
            metadata = metadata if metadata.is_file() else None
            shards.append(Shard(_shard_name(path, root), kind, path, metadata))
    for folder, files in folders:
        for path in (folder / name for name in files if name.endswith(".parquet")):
            if path not in metadata_files and path.is_file():
                shards.append(Shard(_shard_name(path, root), "parquet", path))
    return sorted(shards)


def _shard_name(path: Path, root: Path) -> str:
    name = path.relative_to(root).as_posix()
    return name.removesuffix(".tar").removesuffix(".parquet")


def _is_shard_folder(files: list[str]) -> bool:
    extensions = {name.rpartition(".")[2].lower() for name in files}
    return bool(extensions & set(IMAGE_EXTENSIONS) and extensions & {"json", "txt"})


def normalize_key(key: str | int) -> str:
    """Removes the leading zeros of a key.

    The widths of keys differ (the number of digits for shards and for rows can be
    set), and img2dataset before 1.9.3 wrote `0000.jpg` with the number 0 as its key.
    """
    return str(key).lstrip("0") or "0"


def read_shard(shard: Shard, columns: set[str], root: Path) -> ShardContent:
    """Reads the metadata of a shard, but not its images.

    Args:
        shard: the shard.
        columns: columns of the metadata that are read if they exist.
        root: the folder that links must not lead out of, resolved.

    Returns:
        A `ShardContent`. A damaged shard is counted as skipped; what is before the
        damage is kept.
    """
    content = ShardContent(shard)
    try:
        if shard.kind == "parquet":
            _read_parquet(content, columns)
        else:
            _read_members(content, columns, root)
    except Exception as error:  # decoders raise any exception on malformed bytes
        value = f"{type(error).__name__}: {error}"
        content.skipped.append(SkippedRow("broken shard", shard.path, "", value))
    return content


def _read_parquet(content: ShardContent, columns: set[str]) -> None:
    import pyarrow.parquet

    path = content.shard.path
    with pyarrow.parquet.ParquetFile(path) as file:
        schema, metadata = file.schema_arrow, file.metadata
        column = next((c for c in IMAGE_EXTENSIONS if _is_binary(schema, c)), None)
        if column is None:
            content.has_images = False
            return
        groups = range(metadata.num_row_groups)
        sizes = [metadata.row_group(group).num_rows for group in groups]
    cells = ((group, row) for group, size in enumerate(sizes) for row in range(size))
    records = read_table(path, columns | STATUS_COLUMNS)
    # Without any of the columns there are no records.
    rows = zip(records, cells, strict=False)
    for number, (record, cell) in enumerate(rows):
        key = normalize_key(record.get("key", number))
        read = functools.partial(read_cell, path, (column,), *cell, column)
        _add_sample(content, Sample(key, record, read))


def _is_binary(schema: "pyarrow.Schema", name: str) -> bool:
    return name in schema.names and "binary" in str(schema.field(name).type)


def _read_members(content: ShardContent, columns: set[str], root: Path) -> None:
    path = content.shard.path
    members: dict[str, dict] = {}
    is_tar = content.shard.kind == "webdataset"
    try:
        for name, read in tar_members(path) if is_tar else folder_members(path, root):
            key, _, extension = posixpath.basename(name).rpartition(".")
            files = members.setdefault(normalize_key(key), {})
            files.setdefault(extension.lower(), read)
    finally:  # what is before the damage is kept
        for key, record in _read_metadata(content, members, columns):
            files = members.get(key, {})
            if "txt" in files and "caption" not in record:
                record["txt"] = read_member_text(files["txt"])
            images = (files[name] for name in IMAGE_EXTENSIONS if name in files)
            _add_sample(content, Sample(key, record, next(images, "missing image")))


def _read_metadata(
    content: ShardContent, members: dict[str, dict], columns: set[str]
) -> Iterator[tuple[str, dict]]:
    """Yields key and metadata of each row, from Parquet or else from JSON members."""
    shard, table = content.shard, None
    if shard.metadata is not None:
        try:
            table = read_table(shard.metadata, columns | STATUS_COLUMNS)
        except Exception as error:  # the JSON members have the same for successes
            row = SkippedRow("broken metadata", shard.metadata, "", str(error))
            content.skipped.append(row)
    if table is not None:
        yield from ((normalize_key(record.get("key")), record) for record in table)
        return
    for key, files in members.items():
        try:
            text = read_member_text(files["json"]) if "json" in files else "{}"
            yield key, dict(json.loads(text))
        except (ValueError, TypeError, RecursionError):
            row = SkippedRow("malformed row", shard.path, key, "its JSON")
            content.skipped.append(row)


def _add_sample(content: ShardContent, sample: Sample) -> None:
    """Adds a row, to the skipped ones if it has no image."""
    record, path = sample.record, content.shard.path
    status = str(record.get("status") or "success")[:50]
    if status != "success":
        value = f"{record.get('url')}: {record.get('error_message')}"
        row = SkippedRow(status, path, sample.key, value, bad_rows=0)
        content.skipped.append(row)
    elif isinstance(sample.read, str):
        value = str(record.get("url"))
        content.skipped.append(SkippedRow(sample.read, path, sample.key, value))
    else:
        content.samples.append(sample)


def read_member_text(read: ByteReader | str) -> str:
    """Returns the text of a member; empty if it cannot be read or is too long.

    Args:
        read: what `tar_members` yields.
    """
    try:
        data = b"" if isinstance(read, str) else read()
    except BadImage:
        return ""
    return data.decode(errors="replace") if len(data) <= MAX_TEXT_BYTES else ""


def read_table(path: Path, columns: set[str]) -> list[dict]:
    """Reads the rows of a Parquet file, with those of `columns` that it has."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name in columns]
        return file.read(columns=names).to_pylist()
