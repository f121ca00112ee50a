"""Files that are written completely or not at all."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from PIL import Image


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
