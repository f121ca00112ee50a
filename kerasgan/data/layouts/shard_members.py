"""Lists the members of shards and reads ranges of their bytes.

Nothing is extracted: an image is a range of a tar file, a file in a folder, or a cell
of a Parquet file.
"""

import functools
import os
import posixpath
import tarfile
from collections.abc import Callable, Iterator
from itertools import filterfalse
from pathlib import Path
from typing import TYPE_CHECKING

from kerasgan.data.file_names import is_hidden
from kerasgan.data.image_sources import read_file
from kerasgan.data.images import DAMAGED, MAX_FILE_BYTES, BadImage

if TYPE_CHECKING:
    import pyarrow

MAX_ROW_GROUP_BYTES = 1 << 30  # of a row group, uncompressed

ByteReader = Callable[[], bytes]  # may raise BadImage


def folder_members(folder: Path, root: Path) -> Iterator[tuple[str, ByteReader]]:
    """Lists the files of a folder.

    Args:
        folder: a folder in `root`.
        root: the folder that links must not lead out of, resolved.

    Yields:
        The name of each file that is not hidden, and a function that reads it.
    """
    relative = folder.relative_to(root).as_posix()
    for name in filterfalse(is_hidden, sorted(os.listdir(folder))):
        yield name, functools.partial(read_file, root, f"{relative}/{name}")


def tar_members(path: Path) -> Iterator[tuple[str, ByteReader | str]]:
    """Lists the members of a tar file from its headers.

    Args:
        path: the tar file.

    Yields:
        The name of each member that is not hidden, and a function that reads it or
        the reason why it cannot be read.

    Raises:
        tarfile.TarError: If the tar file is damaged.
    """
    size = path.stat().st_size
    with tarfile.open(path, "r:") as tar:
        last_offset = -1
        while (member := tar.next()) is not None:
            if member.offset <= last_offset:  # forged sizes would cause a loop
                raise tarfile.ReadError("its members do not follow each other")
            last_offset = member.offset
            tar.members = []  # type: ignore[attr-defined]
            is_shown = not is_hidden(posixpath.basename(member.name))
            if is_shown and not member.isdir():
                yield member.name, _member_reader(path, member, size)
        tar.fileobj.seek(tar.offset)
        if any(tar.fileobj.read(tarfile.BLOCKSIZE) or b"?"):
            raise tarfile.ReadError("the end is missing; it was cut off")


def _member_reader(path: Path, member: tarfile.TarInfo, size: int) -> ByteReader | str:
    start, length = member.offset_data, member.size
    if posixpath.normpath(member.name).startswith(("/", "..")):
        return "outside the image folder"
    if not member.isreg() or member.issparse():
        return "not a regular file"
    if length > MAX_FILE_BYTES:
        return "file too large"
    if length < 0 or start + length > size:
        return DAMAGED
    return functools.partial(read_range, path, start, length)


def read_range(path: Path, start: int, length: int) -> bytes:
    """Reads a range of a file's bytes.

    Args:
        path: the file.
        start: position of the first byte.
        length: number of bytes.

    Returns:
        The bytes.

    Raises:
        BadImage: If the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return os.pread(file.fileno(), length, start)
    except OSError as error:
        raise BadImage("unreadable file") from error


def read_cell(
    path: Path,
    columns: tuple[str, ...],
    group: int,
    row: int,
    name: str,
    position: int | None = None,
) -> bytes:
    """Reads one image of a Parquet file; a row group is read at once.

    Args:
        path: the file.
        columns: paths in the schema of all columns that are read with it: `image` for
            one of bytes, `image.bytes` of structs, `images.list.element` of lists.
        group: index of the row group.
        row: index of the row in its group.
        name: name of the column of the image.
        position: index of the image in a list; None if the column has no lists.

    Returns:
        The bytes.

    Raises:
        BadImage: If the cell is empty or cannot be read.
    """
    try:
        cell = _read_row_group(path, columns, group).column(name)[row]
        if position is not None:
            cell = cell[position] if cell.is_valid and position < len(cell) else None
        data = None if cell is None else cell.as_py()
    except BadImage:
        raise
    except Exception as error:  # decoders raise any exception on malformed bytes
        raise BadImage("unreadable file") from error
    if isinstance(data, dict):
        data = data["bytes"]
    if data is None:
        raise BadImage("missing image")
    return data


@functools.lru_cache(maxsize=4)  # neighboring rows are read by a few threads
def _read_row_group(
    path: Path, columns: tuple[str, ...], group: int
) -> "pyarrow.Table":
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        # Of all columns: asked for one, Arrow 26 ends the process if it is damaged.
        if file.metadata.row_group(group).total_byte_size > MAX_ROW_GROUP_BYTES:
            raise BadImage("row group too large")
        return file.read_row_group(group, columns=list(columns))
