"""Files that are written completely or not at all."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
