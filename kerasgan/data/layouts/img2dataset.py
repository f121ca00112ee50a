"""The shards that img2dataset writes: tars, folders, or Parquet with images.

Facts from its writer.py and downloader.py (version 1.47): a shard is `00000.tar`,
`00000/` or `00000.parquet`; the first two have their metadata, failures too, in a
`00000.parquet` beside them, and successes' as JSON inside. Rows come in the order in
which downloads ended. `--caption_col text` is renamed `caption`; `id` and `image_phash`
are there only if they were listed as additional columns; `width` and `height` are
those of the downloaded image, so nothing here reads them.
"""

import functools
import json
import os
import posixpath
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kerasgan.data.image_sources import MAX_FILE_BYTES, read_file
from kerasgan.data.images import BadImage
from kerasgan.data.layouts.folders import walk
from kerasgan.errors import UserError

IMAGES = ("jpg", "jpeg", "png", "webp")  # img2dataset's --encode_format
OUTCOME = {"key", "status", "error_message"}
LARGEST_TEXT = 1 << 20  # bytes of one caption or JSON
LARGEST_GROUP = 1 << 30  # bytes of one row group's images

Read = Callable[[], bytes]  # BadImage with the reason


class Shard(NamedTuple):
    """One shard; `kind` is img2dataset's --output_format."""

    name: str  # relative to the source, without suffix
    kind: str
    path: Path
    metadata: Path | None = None


class Sample(NamedTuple):
    """One row of a shard: its metadata and the means to read its image."""

    key: str
    record: dict
    read: Read | str  # a string is the reason why it cannot be read


class Skip(NamedTuple):
    """What is entered in the ledger; `bad` 0 if it never was to be a pair."""

    reason: str
    file: Path
    line: str
    value: str
    bad: int = 1


@dataclass
class Content:
    """What was found in one shard; `bare` if it is metadata without images."""

    shard: Shard
    samples: list[Sample] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    bare: bool = False


def find_shards(source: Path) -> list[Shard]:
    """The shards in a directory and up to 3 folders below it, by name."""
    if not source.exists():
        raise UserError(f"--source {source} does not exist")
    folders = walk(source) if source.is_dir() else [(source.parent, [source.name])]
    root = source if source.is_dir() else source.parent
    shards, described = [], set()
    for folder, files in folders:
        tars = [folder / name for name in files if name.endswith(".tar")]
        found = [("webdataset", path) for path in tars if path.is_file()]
        if folder != root and _is_shard(files):
            found.append(("files", folder))
        for kind, path in found:
            metadata = path.with_name(f"{path.name.removesuffix('.tar')}.parquet")
            described.add(metadata)
            metadata = metadata if metadata.is_file() else None
            shards.append(Shard(_name(path, root), kind, path, metadata))
    for folder, files in folders:
        for path in (folder / name for name in files if name.endswith(".parquet")):
            if path not in described and path.is_file():
                shards.append(Shard(_name(path, root), "parquet", path))
    return sorted(shards)


def _name(path: Path, root: Path) -> str:
    name = path.relative_to(root).as_posix()
    return name.removesuffix(".tar").removesuffix(".parquet")


def _is_shard(files: list[str]) -> bool:
    extensions = {name.rpartition(".")[2].lower() for name in files}
    return bool(extensions & set(IMAGES) and extensions & {"json", "txt"})


def plain_key(key) -> str:
    """A key without leading zeros.

    Widths differ (digits of the shard and of the row in it, both can be set), and
    img2dataset before 1.9.3 wrote `0000.jpg` with the number 0 as its key.
    """
    return str(key).lstrip("0") or "0"


def read_shard(shard: Shard, columns: set[str], root: Path) -> Content:
    """A shard's rows, with those of `columns` that it has; images are not read."""
    content = Content(shard)
    try:
        if shard.kind == "parquet":
            _read_parquet(content, columns)
        else:
            _read_members(content, columns, root)
    except Exception as error:  # decoders raise what they like on strange bytes
        reason = f"{type(error).__name__}: {error}"
        content.skips.append(Skip("broken shard", shard.path, "", reason))
    return content


def _read_parquet(content: Content, columns: set[str]) -> None:
    import pyarrow.parquet

    path = content.shard.path
    with pyarrow.parquet.ParquetFile(path) as file:
        schema, groups = file.schema_arrow, file.metadata
        column = next((name for name in IMAGES if _is_bytes(schema, name)), None)
        if column is None:
            content.bare = True
            return
        sizes = [groups.row_group(g).num_rows for g in range(groups.num_row_groups)]
    places = ((group, row) for group, size in enumerate(sizes) for row in range(size))
    records = read_table(path, columns | OUTCOME)
    for number, (record, place) in enumerate(zip(records, places)):
        key = plain_key(record.get("key", number))
        read = functools.partial(read_cell, path, column, *place)
        _add(content, Sample(key, record, read))


def _is_bytes(schema, name: str) -> bool:
    return name in schema.names and "binary" in str(schema.field(name).type)


def _read_members(content: Content, columns: set[str], root: Path) -> None:
    path, members = content.shard.path, {}
    is_tar = content.shard.kind == "webdataset"
    try:
        for name, read in tar_members(path) if is_tar else folder_members(path, root):
            key, _, extension = posixpath.basename(name).rpartition(".")
            members.setdefault(plain_key(key), {}).setdefault(extension.lower(), read)
    finally:  # what stands before the damage is whole
        for key, record in _records(content, members, columns):
            files = members.get(key, {})
            if "txt" in files and "caption" not in record:
                record["txt"] = _text(files["txt"])
            read = next((files[name] for name in IMAGES if name in files), "missing")
            _add(content, Sample(key, record, read))


def _records(content: Content, members: dict, columns: set[str]):
    shard, table = content.shard, None
    if shard.metadata is not None:
        try:
            table = read_table(shard.metadata, columns | OUTCOME)
        except Exception as error:  # the JSON files say the same of the successes
            skip = Skip("broken metadata", shard.metadata, "", str(error))
            content.skips.append(skip)
    if table is not None:
        yield from ((plain_key(record.get("key")), record) for record in table)
        return
    for key, files in members.items():
        try:
            record = json.loads(_text(files["json"])) if "json" in files else {}
            yield key, dict(record)
        except (ValueError, TypeError, RecursionError):
            content.skips.append(Skip("malformed row", shard.path, key, "its JSON"))


def _add(content: Content, sample: Sample) -> None:
    record, path = sample.record, content.shard.path
    status = str(record.get("status") or "success")[:50]
    if status != "success":
        value = f"{record.get('url')}: {record.get('error_message')}"
        content.skips.append(Skip(status, path, sample.key, value, bad=0))
    elif isinstance(sample.read, str):
        value = str(record.get("url"))
        content.skips.append(Skip(sample.read, path, sample.key, value))
    else:
        content.samples.append(sample)


def _text(read: Read | str) -> str:
    try:
        data = b"" if isinstance(read, str) else read()
    except BadImage:
        return ""
    return data.decode(errors="replace") if len(data) <= LARGEST_TEXT else ""


def read_table(path: Path, columns: set[str]) -> list[dict]:
    """The rows of a Parquet file, with those of `columns` that it has."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name in columns]
        return file.read(columns=names).to_pylist()


def folder_members(folder: Path, root: Path) -> Iterator[tuple[str, Read | str]]:
    """(name, reader) of each file in a folder below `root`."""
    below = folder.relative_to(root).as_posix()
    for name in sorted(os.listdir(folder)):
        yield name, functools.partial(read_file, root, f"{below}/{name}")


def tar_members(path: Path) -> Iterator[tuple[str, Read | str]]:
    """(name, reader, or why there is none) of each member, from the headers alone.

    Nothing is ever extracted: an image is a range of the tar's bytes.
    """
    size = path.stat().st_size
    with tarfile.open(path, "r:") as tar:
        last = -1
        while (member := tar.next()) is not None:
            if member.offset <= last:  # a forged size would lead round in a circle
                raise tarfile.ReadError("its members don't follow each other")
            last, tar.members = member.offset, []
            if member.isdir():
                continue
            start, length = member.offset_data, member.size
            if posixpath.normpath(member.name).startswith(("/", "..")):
                read = "outside the folder"
            elif not member.isreg() or member.issparse():
                read = "not a file"
            elif length > MAX_FILE_BYTES:
                read = "file too large"
            elif length < 0 or start + length > size:
                read = "truncated or damaged"
            else:
                read = functools.partial(read_range, path, start, length)
            yield member.name, read
        tar.fileobj.seek(tar.offset)
        if any(tar.fileobj.read(tarfile.BLOCKSIZE) or b"?"):
            raise tarfile.ReadError("it has no end; it was cut off")


def read_range(path: Path, start: int, length: int) -> bytes:
    """A range of a file's bytes."""
    try:
        with open(path, "rb") as file:
            return os.pread(file.fileno(), length, start)
    except OSError as error:
        raise BadImage("unreadable") from error


def read_cell(path: Path, column: str, group: int, row: int) -> bytes:
    """One cell of bytes; cells are read a row group at a time."""
    try:
        data = _row_group(path, column, group)[row].as_py()
    except BadImage:
        raise
    except Exception as error:  # decoders raise what they like on strange bytes
        raise BadImage("unreadable") from error
    if data is None:
        raise BadImage("missing")
    return data


@functools.lru_cache(maxsize=4)  # neighbours are asked for, by a few threads
def _row_group(path: Path, column: str, group: int):
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        pages = file.metadata.row_group(group)
        chunks = (pages.column(index) for index in range(pages.num_columns))
        size = sum(
            c.total_uncompressed_size for c in chunks if c.path_in_schema == column
        )
        if size > LARGEST_GROUP:
            raise BadImage("row group too large")
        return file.read_row_group(group, columns=[column]).column(0)
