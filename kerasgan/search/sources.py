"""The folders, files and tables whose images an index holds."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kerasgan.data.annotations import clean_text
from kerasgan.data.dataset_spec import dataset_config
from kerasgan.data.layouts.columns import infer_columns
from kerasgan.data.layouts.folders import resolve_folder
from kerasgan.data.layouts.table import caption_rows, open_table
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.inference.inputs import (
    InferenceInput,
    inputs_from_paths,
    inputs_from_table,
)

TABLE_KEYS = ("source", "image_root", "image_column")


def to_sources(paths: Sequence[str], table: dict[str, Any]) -> list[dict[str, Any]]:
    """Describes inputs of the command line by absolute paths, as JSON values.

    A file is recorded as one: if it is missing later, it was removed, whereas a folder
    may be on a disk that is not mounted.

    Args:
        paths: files and folders.
        table: `source`, `image_root` and `image_column` of a table, or None.

    Raises:
        UserError: an option of a table without a table.
    """
    sources = list(map(_to_source, paths))
    if table["source"] is None:
        if any(table.values()):
            raise UserError("--image-root and --image-column need a table: --source.")
        return sources
    absolute = {n: _absolute(table[n]) for n in TABLE_KEYS[:2] if table[n]}
    return [*sources, table | absolute]


def _to_source(path: str) -> dict[str, Any]:
    source = {"path": _absolute(path)}
    return source | ({"is_file": True} if os.path.isfile(source["path"]) else {})


def _absolute(path):
    return os.path.abspath(os.path.expanduser(path))


def list_images(
    sources: Sequence[dict[str, Any]], report: ReadReport
) -> Iterator[tuple[str, InferenceInput]]:
    """Lists the images of all sources, each once.

    Args:
        sources: see `to_sources`.
        report: where malformed rows of tables are counted.

    Yields:
        The absolute path of an image, and the image.

    Raises:
        UserError: a folder or a table does not exist, or the folder of a file. Its
            images would seem to be deleted if, for example, a disk is not mounted.
    """
    seen: set[str] = set()
    for source in sources:
        for item in _list_source(source, report):
            if item.name is None:  # a row of a table without an image
                continue
            path = item.file
            if path not in seen:
                seen.add(path)
                yield path, item


def _list_source(source, report):
    path = source.get("path") or source["source"]
    if not os.path.exists(path):
        if source.get("is_file") and os.path.isdir(os.path.dirname(path)):
            return ()  # it was removed
        raise UserError(
            f"{path} does not exist. If its images are in the index, put it back, or"
            " build another index without it."
        )
    if "path" in source:
        return inputs_from_paths([path], [])
    table = {key: source.get(key) for key in TABLE_KEYS}
    table |= {"caption_columns": [""], "label_column": ""}
    return inputs_from_table(dataset_config("table", None, table), report)


def list_references(
    sources: Sequence[dict[str, Any]], report: ReadReport
) -> dict[str, list[str]]:
    """Reads the captions in the tables of an index, whose columns are inferred.

    Args:
        sources: see `to_sources`.
        report: where malformed rows are counted, and missing tables are noted.

    Returns:
        Captions by the absolute path of their image.

    Raises:
        UserError: a table cannot be read.
    """
    references: dict[str, list[str]] = {}
    for source in sources:
        if "path" in source:
            continue
        table = Path(source["source"])
        if not table.exists():
            report.note(f"{table} does not exist: its captions are not shown.")
            continue
        names, records = open_table(table, report)
        config = dataset_config("table", None, {k: source.get(k) for k in TABLE_KEYS})
        columns = infer_columns(config, names, table)
        root = resolve_folder(source.get("image_root") or str(table.parent))
        for row in caption_rows(table, records, columns):
            texts = [text for text in map(clean_text, row.captions) if text]
            references.setdefault(os.path.join(root, row.name), []).extend(texts)
    return references
