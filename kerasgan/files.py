"""Files that are written whole or not at all."""

import json
import os
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    scratch = path.with_name(path.name + ".partial")
    with open(scratch, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)


def write_json(path: Path, content) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
