"""Files that are written completely or not at all."""

import json
import os
from pathlib import Path
from typing import Any


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


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file, completely or not at all.

    Args:
        path: of the file.
        content: anything that JSON can hold.
    """
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
