"""The files of an index.

manifest.json   format, run, sources and the ranking; written last
model/          what a query needs: TF-IDF weights, rotation, text branch
data-00001/     the images, one row each: records.jsonl, and arrays as .npy
partial/        images that are not part of the data yet, see `journal`
"""

import hashlib
import json
import mmap
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.errors import UserError
from kerasgan.files import read_json

FORMAT = 1  # of the files; another one is not read
RANKINGS = ("words", "embedding", "blend")
MANIFEST_KEYS: dict[str, Any] = {  # types of the values
    **dict.fromkeys(("run", "models", "decoding"), str),
    **dict.fromkeys(("images", "dim", "caption_length"), int),
    **{"sources": list, "data": str | None, "ranking": dict, "needs_tensorflow": bool},
}
MANIFEST = "manifest.json"
RECORDS = "records.jsonl"
PARTIAL = "partial"
ARRAYS = {  # number of dimensions of the arrays with a row for each image
    "leading": 2,
    "trailing": 2,
    "residuals": 1,
    "tails": 1,
    "hubness": 1,
    "words-columns": 1,
    "words-rows": 1,
    "words-values": 1,
    "offsets": 1,
}


def save_array(path: Path, array: np.ndarray) -> None:
    """Writes a `.npy` file.

    Args:
        path: of the file.
        array: its content.
    """
    with open(path, "wb") as file:
        np.save(file, array, allow_pickle=False)


def load_array(path: Path, ndim: int) -> np.ndarray:
    """Maps a `.npy` file into memory.

    Args:
        path: of the file.
        ndim: the expected number of dimensions.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy raises any of them on malformed bytes
        raise damaged(path, error) from error
    if array.ndim != ndim or array.dtype.kind not in "fiu":
        raise damaged(path, f"shape {array.shape}, type {array.dtype}")
    # A memmap costs microseconds at each slice.
    return np.asarray(array)


def damaged(path: Path, reason: object) -> UserError:
    """Returns the error of a damaged file.

    Args:
        path: of the file.
        reason: what is wrong with it.
    """
    return UserError(
        f"{path} is damaged: {reason}. Remove the index, and build it again with"
        " kerasgan index."
    )


def is_index(path: Path) -> bool:
    """Returns whether a directory is an index, perhaps a half-written one.

    Args:
        path: of the directory.
    """
    return (path / MANIFEST).is_file() or (path / "model").is_dir()


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Reads the manifest of an index.

    Args:
        path: the directory of the index.

    Returns:
        The manifest, or None if there is none yet.

    Raises:
        UserError: it is damaged, or of another version.
    """
    file = path / MANIFEST
    if not file.is_file():
        return None
    try:
        manifest = read_json(file, {})
    except UserError as error:
        raise damaged(file, error) from error
    if manifest.get("format") != FORMAT:
        raise UserError(
            f"{path} was written by another version of kerasgan: format"
            f" {manifest.get('format')!r} instead of {FORMAT}. Build it again with"
            " kerasgan index, in another directory."
        )
    for key, kind in MANIFEST_KEYS.items():
        if not isinstance(manifest.get(key), kind):
            raise damaged(file, f"{key} is {manifest.get(key)!r:.100}")
    data, ranking = manifest["data"], manifest["ranking"]
    if data is not None and not re.fullmatch(r"data-[0-9]{1,9}", data):
        raise damaged(file, f"data is {data!r:.100}")
    weight = ranking.get("weight")
    if ranking.get("default") not in RANKINGS or not isinstance(weight, float | int):
        raise damaged(file, f"ranking is {ranking!r:.100}")
    return manifest


@dataclass(frozen=True)
class IndexData:
    """The images of an index, one row each; arrays are mapped into memory.

    Attributes:
        path: the directory with the files.
        leading: float32 `(n, m)`, the leading dimensions of the rotated unit vectors.
        trailing: float32 `(n, d - m)`, the others.
        residuals: float32 `(n,)`, the norms of `trailing`.
        tails: float32 `(n,)`, the norms of the last dimensions of `trailing`.
        hubness: float32 `(n,)`, see `kerasgan.captioning.hubness`.
        words: TF-IDF of the captions: columns `(words + 1,)`, the beginning of each
            word's entries; rows int32 and values float32 of the entries.
        offsets: int64 `(n + 1,)`, the beginning of each line of `records.jsonl`.
        lines: the content of `records.jsonl`.
    """

    path: Path
    leading: np.ndarray
    trailing: np.ndarray
    residuals: np.ndarray
    tails: np.ndarray
    hubness: np.ndarray
    words: tuple[np.ndarray, np.ndarray, np.ndarray]
    offsets: np.ndarray
    lines: mmap.mmap

    @classmethod
    def open(cls, path: Path) -> "IndexData":
        """Opens the files of a directory.

        Args:
            path: the directory.

        Raises:
            UserError: they are missing, damaged, or do not belong together.
        """
        arrays = {
            name: load_array(path / f"{name}.npy", ndim)
            for name, ndim in ARRAYS.items()
        }
        for name in ("offsets", "words-columns", "words-rows"):
            if arrays[name].dtype.kind not in "iu":
                raise damaged(path / f"{name}.npy", f"type {arrays[name].dtype}")
        for name, end in (("offsets", None), ("words-columns", "words-rows")):
            ends = arrays[name]
            is_valid = len(ends) and ends[0] == 0 and (np.diff(ends) >= 0).all()
            if not is_valid or (end and ends[-1] != len(arrays[end])):
                raise damaged(path / f"{name}.npy", "its values are not ascending")
        columns, rows, values = (arrays.pop(f"words-{name}") for name in _WORDS)
        lines, count = _map_file(path / RECORDS), len(arrays["offsets"]) - 1
        lengths = {len(array) for name, array in arrays.items() if name != "offsets"}
        if lengths != {count} or len(rows) != len(values):
            raise damaged(path, f"arrays of different lengths {sorted(lengths)}")
        if len(lines) != arrays["offsets"][-1]:
            raise damaged(path / RECORDS, "it has another length than offsets.npy says")
        return cls(path, words=(columns, rows, values), lines=lines, **arrays)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def records(self, rows: Iterable[int]) -> list[dict[str, Any]]:
        """Reads the records of some images.

        Args:
            rows: k row numbers.

        Returns:
            k dicts, see `parse_record`.
        """
        ends = ((self.offsets[row], self.offsets[row + 1]) for row in rows)
        return [parse_record(self.lines[a:b], self.path) for a, b in ends]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in range(len(self)):
            yield from self.records([row])

    def vectors(self, rows: Any) -> np.ndarray:
        """Returns rotated unit vectors, float32 `(k, d)`.

        Args:
            rows: a slice, or k row numbers.
        """
        return np.concatenate([self.leading[rows], self.trailing[rows]], axis=1)


def _map_file(path):
    try:
        with open(path, "rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # ValueError: an empty file
        raise damaged(path, error) from error


_WORDS = ("columns", "rows", "values")


def parse_record(line: bytes, path: Path) -> dict[str, Any]:
    """Parses a line of `records.jsonl`.

    Args:
        line: the line.
        path: the directory of the file, for the message.

    Raises:
        UserError: the line is damaged.
    """
    try:
        record = dict(json.loads(line))
        file, state = record["image"], (record["size"], record["mtime_ns"])
        is_valid = isinstance(file, str) and all(isinstance(n, int) for n in state)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise damaged(path / RECORDS, repr(error)) from error
    if not (is_valid and isinstance(record.get("caption"), str)):
        raise damaged(path / RECORDS, "a line lacks image, caption, size or mtime_ns")
    return record


def file_state(record: dict[str, Any]) -> str:
    """Returns whether the file of an image is `unchanged`, `changed` or `deleted`.

    A file with another time of modification is unchanged if its content is.

    Args:
        record: see `parse_record`.
    """
    try:
        status = os.stat(record["image"])
        if status.st_size != record["size"]:
            return "changed"
        if status.st_mtime_ns == record["mtime_ns"]:
            return "unchanged"
        with open(record["image"], "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return "deleted"
    return "unchanged" if digest == record.get("sha256") else "changed"
