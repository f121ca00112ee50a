"""Files that are written completely or not at all, and found damaged when read."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kerasgan.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

MAX_LINE_BYTES = 1 << 20  # of a line that is appended


def write_text(path: Path, text: str) -> None:
    """Writes a text file, completely or not at all.

    Args:
        path: of the file.
        text: its content.
    """
    partial = path.with_name(path.name + ".partial")
    with open(partial, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def write_image(path: Path, image: "Image.Image", **options: Any) -> None:
    """Writes a PNG, GIF or WebP, as the suffix says, completely or not at all.

    Args:
        path: of the file.
        image: the image, or the first frame.
        **options: of `Image.save`.
    """
    partial = path.with_name(path.name + ".partial")
    image.save(partial, format=path.suffix[1:], **options)
    os.replace(partial, path)


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file, completely or not at all.

    Args:
        path: of the file.
        content: anything that JSON can hold.
    """
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


@contextlib.contextmanager
def open_partial(path: Path) -> Iterator[BinaryIO]:
    """Opens a new file that gets its name when it is complete and on the disk.

    Args:
        path: of the file. Several processes may write it; the last one counts.

    Yields:
        The file, opened for writing. If an exception is raised, nothing is kept.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


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
        return [dict(json.loads(line)) for line in lines]
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is damaged: {error}") from error


def read_json(path: Path, keys: Mapping[str, type] | None = None) -> Any:
    """Reads a JSON file.

    Args:
        path: of the file.
        keys: required keys with the types of their values; it must hold an object.

    Returns:
        Its content.

    Raises:
        FileNotFoundError: there is no such file.
        UserError: it cannot be read, or is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged: {error}") from error
    if keys is not None and not isinstance(content, dict):
        raise UserError(f"{path} is damaged: it holds no JSON object")
    for key, kind in (keys or {}).items():
        if not isinstance(content.get(key), kind):
            raise UserError(f"{path} is damaged: it has no {kind.__name__} {key!r}")
    return content


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
