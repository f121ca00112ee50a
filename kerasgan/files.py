"""Files that are written completely or not at all, and found damaged when read."""

import contextlib
import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kerasgan.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

MAX_LINE_BYTES = 1 << 20  # of a line that is appended
CHECKSUM_BYTES, BLOCK_BYTES = 4, 1 << 20


def write_text(path: Path, text: str) -> None:
    """Writes a text file, completely or not at all.

    Args:
        path: of the file.
        text: its content.
    """
    with open_partial(path) as file:
        file.write(text.encode())


def write_image(path: Path, image: "Image.Image", **options: Any) -> None:
    """Writes a PNG, GIF or WebP, as the suffix says, completely or not at all.

    Args:
        path: of the file.
        image: the image, or the first frame.
        **options: of `Image.save`.
    """
    with open_partial(path) as file:
        image.save(file, format=path.suffix[1:], **options)


def write_json(path: Path, content: Any, checksum: bool = False) -> None:
    """Writes a JSON file, completely or not at all.

    Args:
        path: of the file.
        content: anything that JSON can hold.
        checksum: whether an object gets the key `checksum`, which `read_json` compares
            with the content and leaves out.
    """
    if checksum:
        content = json.loads(json.dumps(content))
        content["checksum"] = _json_checksum(content)
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


@contextlib.contextmanager
def open_partial(path: Path, checksum: bool = False) -> Iterator[BinaryIO]:
    """Opens a new file that gets its name when it is complete and on the disk.

    Args:
        path: of the file. Several processes may write it; the last one counts.
        checksum: whether the CRC-32 of name and content is appended, see `is_whole`.

    Yields:
        The file, opened for writing. If an exception is raised, nothing is kept.
    """
    partial = partial_path(path)
    try:
        with open(partial, "wb") as file:
            yield file
            file.flush()
            if checksum:
                value = file_checksum(partial, start=_name_checksum(path))
                file.write(value.to_bytes(CHECKSUM_BYTES, "little"))
        replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def partial_path(path: Path) -> Path:
    """Returns a name beside a path, for a file or directory that is not complete yet.

    Args:
        path: of the complete one.
    """
    # No process id: containers that share a directory may have the same ones.
    return path.with_name(f"{path.name}.{os.urandom(4).hex()}.partial")


def replace(partial: Path, path: Path) -> None:
    """Gives a complete file or directory its name, and waits until all is on the disk.

    Args:
        partial: the file, or the directory with all that is in it.
        path: its name in the same directory; a file or empty directory is replaced.
    """
    for file in (partial, *partial.rglob("*")):
        sync(file)
    os.replace(partial, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Waits until a file, or the names in a directory, are on the disk.

    Args:
        path: of the file or directory.

    Raises:
        OSError: a file cannot be written to the disk.
    """
    # Some network file systems cannot sync directories.
    errors = (OSError,) if path.is_dir() else ()
    with contextlib.suppress(*errors):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def is_whole(path: Path) -> bool:
    """Returns whether a file exists and ends in the checksum of name and content.

    Args:
        path: of a file that `open_partial` has written with a checksum. NumPy and
            Arrow do not read these last `CHECKSUM_BYTES`.
    """
    try:
        size = os.path.getsize(path) - CHECKSUM_BYTES
        with open(path, "rb") as file:
            file.seek(max(size, 0))
            stored = int.from_bytes(file.read(), "little")
        return size >= 0 and stored == file_checksum(path, size, _name_checksum(path))
    except FileNotFoundError:
        return False


def _name_checksum(path):
    return zlib.crc32(path.name.encode())  # a file in another's place is none


def file_checksum(path: Path, size: int | None = None, start: int = 0) -> int:
    """Computes the CRC-32 of a file.

    Args:
        path: of the file.
        size: number of bytes; None for all.
        start: CRC-32 of what is thought before it.
    """
    value, rest = start, os.path.getsize(path) if size is None else size
    with open(path, "rb") as file:
        while block := file.read(min(rest, BLOCK_BYTES)):
            value, rest = zlib.crc32(block, value), rest - len(block)
    return value


@contextlib.contextmanager
def exclusive_lock(path: Path, message: str) -> Iterator[None]:
    """Keeps other processes away, until this one ends, however it does.

    Args:
        path: of an empty file, which remains.
        message: of the error.

    Raises:
        UserError: another process holds the lock.
    """
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(message) from None
        yield


def append_json_line(path: Path, content: Any) -> None:
    """Appends a line to a JSON Lines file.

    An incomplete last line, which a killed process left, is removed before.

    Args:
        path: of the file, which is made if it does not exist.
        content: anything that JSON can hold.
    """
    with open(path, "a+b") as file:
        end = file.tell()
        position = max(end - MAX_LINE_BYTES, 0)
        file.seek(position)
        complete = position + file.read().rfind(b"\n") + 1
        if complete < end:
            file.truncate(complete)
        file.write(json.dumps(content).encode() + b"\n")


def read_json_lines(path: Path) -> list[dict]:
    """Reads the objects of a JSON Lines file; an incomplete last line is ignored.

    Args:
        path: of the file.

    Raises:
        UserError: the file cannot be read, or is damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        return [dict(_parse_json(line)) for line in lines]
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is damaged: {error}") from error


def read_json(path: Path, keys: Mapping[str, Any] | None = None) -> Any:
    """Reads a JSON file.

    Args:
        path: of the file.
        keys: required keys with the types of their values, perhaps joined by `|`; it
            must hold an object.

    Returns:
        Its content.

    Raises:
        FileNotFoundError: there is no such file.
        UserError: it cannot be read, or is damaged.
    """
    try:
        content = _parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged: {error}") from error
    checksum = content.pop("checksum", None) if isinstance(content, dict) else None
    if checksum not in (None, _json_checksum(content)):
        raise UserError(f"{path} is damaged: its content has another checksum")
    if keys is not None and not isinstance(content, dict):
        raise UserError(f"{path} is damaged: it holds no JSON object")
    for key, kind in (keys or {}).items():
        if key not in content or not isinstance(content[key], kind):
            name = getattr(kind, "__name__", kind)
            raise UserError(f"{path} is damaged: it has no {name} {key!r}")
    return content


def _parse_json(text):
    content = json.loads(text)
    # An escaped half of a pair cannot be written again.
    if "\\ud" in text or "\\uD" in text:
        json.dumps(content, ensure_ascii=False).encode()
    return content


def _json_checksum(content):
    return f"{zlib.crc32(json.dumps(content, sort_keys=True).encode()):08x}"


def load_arrays(path: Path) -> dict[str, "np.ndarray"]:
    """Reads the arrays of an `.npz` file; its checksums are compared.

    Args:
        path: of the file.

    Returns:
        The arrays by name.

    Raises:
        ValueError: the file cannot be read, or is damaged.
    """
    import numpy as np

    try:
        # Opened here, so that a damaged file is not left open by NumPy.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception as error:  # NumPy and zipfile raise any of them on malformed bytes
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ValueError(reason.partition("\n")[0]) from error
