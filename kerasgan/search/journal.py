"""Images that were captioned and embedded, but are not yet part of an index.

partial/header.json     what the rows depend on
partial/vectors.f32     the vectors, float32, row after row
partial/records.jsonl   a line for each row

The vectors of a chunk are written before its lines. A row whose line or vector is
incomplete, because the process was killed, is removed when the journal is opened.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.errors import UserError
from kerasgan.files import read_json, write_json
from kerasgan.search.index_files import PARTIAL, RECORDS, damaged, parse_record

VECTORS = "vectors.f32"
HEADER = "header.json"


@contextlib.contextmanager
def open_journal(index: Path, header: dict[str, Any]) -> Iterator["Journal"]:
    """Opens the journal of an update, which remains for the next one if this fails.

    Args:
        index: the directory of the index.
        header: see `Journal`.

    Yields:
        A `Journal`. If an exception is raised before it has a row, it is removed.
    """
    journal = Journal(index, header)
    try:
        yield journal
    except BaseException:
        if not journal.num_rows:
            journal.remove()
        raise


class Journal:
    """The rows that an interrupted or running `kerasgan index` has finished.

    Args:
        index: the directory of the index.
        header: what the rows depend on, as JSON values with the key `dim`.

    Raises:
        UserError: the journal depends on something else, or is damaged.
    """

    def __init__(self, index: Path, header: dict[str, Any]):
        self.path, self.dim = index / PARTIAL, int(header["dim"])
        file = self.path / HEADER
        if file.is_file():
            self._check(file, header)
        else:
            shutil.rmtree(self.path, ignore_errors=True)
            self.path.mkdir(parents=True)
            for name in (VECTORS, RECORDS):
                (self.path / name).touch()
            write_json(file, header)
        self.num_rows = self._repair()

    def _check(self, file, header):
        try:
            previous = read_json(file, {})
        except UserError as error:
            raise damaged(file, error) from error
        names = [key for key in header if previous.get(key) != header[key]]
        if names:
            lines = [
                f"{n}: {previous.get(n)!r} before, {header[n]!r} now" for n in names
            ]
            raise UserError(
                f"{self.path} was left by an interrupted kerasgan index with other"
                f" options. Use the same ones, or remove {self.path}.\n"
                + "\n".join(lines)
            )

    def _repair(self):
        """Truncates both files to the same number of complete rows."""
        row_size, ends = 4 * self.dim, [0]
        with open(self.path / RECORDS, "r+b") as records:
            for line in records:
                if line.endswith(b"\n"):
                    ends.append(ends[-1] + len(line))
            with open(self.path / VECTORS, "r+b") as vectors:
                num_vectors = vectors.seek(0, os.SEEK_END) // row_size
                num_rows = min(num_vectors, len(ends) - 1)
                vectors.truncate(num_rows * row_size)
            records.truncate(ends[num_rows])
        return num_rows

    def append(self, records: Sequence[dict[str, Any]], vectors: np.ndarray) -> None:
        """Writes rows.

        Args:
            records: n records, see `index_files.parse_record`.
            vectors: float32 `(n, dim)`.
        """
        with open(self.path / VECTORS, "ab") as file:
            file.write(np.ascontiguousarray(vectors, np.float32).tobytes())
        with open(self.path / RECORDS, "a", encoding="ascii") as file:
            file.write("".join(json.dumps(record) + "\n" for record in records))
        self.num_rows += len(records)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with open(self.path / RECORDS, "rb") as file:
            for line in file:
                yield parse_record(line, self.path)

    def lines(self, rows: np.ndarray) -> Iterator[bytes]:
        """Reads the lines of some records.

        Args:
            rows: row numbers, ascending.
        """
        wanted = iter(rows.tolist())
        row = next(wanted, None)
        with open(self.path / RECORDS, "rb") as file:
            for number, line in enumerate(file):
                if number == row:
                    yield line
                    row = next(wanted, None)

    def vectors(self) -> np.ndarray:
        """Returns all vectors, float32 `(n, dim)`, mapped into memory."""
        if not self.num_rows:
            return np.empty((0, self.dim), np.float32)
        shape = (self.num_rows, self.dim)
        return np.memmap(self.path / VECTORS, np.float32, "r", shape=shape)

    def remove(self) -> None:
        """Removes the files, once the rows are part of the index."""
        shutil.rmtree(self.path)
