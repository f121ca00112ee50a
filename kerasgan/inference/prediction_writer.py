"""Writes predictions to a file, so that an interruption does not lose them.

FILE.partial       the predictions so far, as JSON lines
FILE.partial.json  the settings that they depend on
FILE               all predictions, as JSON lines, CSV or Parquet, when complete
"""

import contextlib
import csv
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kerasgan.errors import UserError
from kerasgan.files import exclusive_lock, read_json, replace, write_json

if TYPE_CHECKING:
    import pyarrow

FORMATS = (".jsonl", ".csv", ".parquet")
ROW_GROUP_SIZE = 4096  # rows of Parquet
# What a spreadsheet takes for a formula, and the apostrophe that prevents it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def json_line(prediction: dict) -> str:
    """Returns a prediction as a line of JSON that cannot control a terminal."""
    return escape_unprintable(json.dumps(prediction, ensure_ascii=False)) + "\n"


def escape_unprintable(text: str) -> str:
    r"""Replaces characters that cannot be printed, as JSON does: `\u001b`.

    Args:
        text: any text, such as a file name that would control a terminal.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def escape_formula(text: str) -> str:
    """Returns a text with an apostrophe before it if a spreadsheet would calculate it.

    Args:
        text: of a cell.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def unescape_formula(text: str) -> str:
    """Returns the text that `escape_formula` was given.

    Args:
        text: of a cell.
    """
    is_escaped = text[:1] == "'" and text[1:].startswith(FORMULA_STARTS)
    return text[1:] if is_escaped else text


class PredictionWriter:
    """Writes the predictions of one file; iterating yields those that are written.

    Args:
        out: path of the file; its suffix determines the format.
        resume: whether an interrupted file is continued.

    Attributes:
        out: absolute path of the file.
        partial: path of the file with the predictions so far.
        header: path of the file with the settings.
        finished: whether `out` exists and is complete.

    Raises:
        UserError: If the suffix is not supported, or if `resume` is False and the file
            or an interrupted one exists.
    """

    def __init__(self, out: str, resume: bool):
        self.out = Path(out).expanduser().absolute()
        self.partial = self.out.with_name(self.out.name + ".partial")
        self.header = self.out.with_name(self.out.name + ".partial.json")
        if self.out.suffix.lower() not in FORMATS:
            raise UserError(
                f"--out must end in {' or '.join(FORMATS)}. Received: {out}"
            )
        self.finished = self.out.is_file()
        self._locks, self._is_locked = contextlib.ExitStack(), False
        self._unsaved_settings: dict | None = None
        if self.out.exists() and not self.finished:
            raise UserError(f"--out {self.out} is not a file.")
        if not resume and self.finished:
            raise UserError(f"{self.out} exists already. Remove it or name another.")
        if not resume and self.partial.exists():
            raise UserError(
                f"{self.partial} was left by an interruption. Continue it with "
                "--resume, or remove it."
            )

    def begin(self, settings: dict, chunk_size: int) -> int:
        """Begins a new file, or continues after the last complete chunk.

        Args:
            settings: everything that the predictions depend on, as JSON values.
            chunk_size: number of inputs that are predicted at once. An incomplete chunk
                is predicted again, so that the batches are the same as without an
                interruption.

        Returns:
            The number of predictions that exist.

        Raises:
            UserError: If the interrupted file has other settings. The differences are
                named. Also if another process writes the file.
        """
        if not self.partial.exists():
            self.out.parent.mkdir(parents=True, exist_ok=True)
            self._unsaved_settings = settings
            return 0
        self._lock()
        self._check_settings(settings)
        num_done = num_lines = size = position = 0
        with open(self.partial, "r+b") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                num_lines, position = num_lines + 1, position + len(line)
                if num_lines % chunk_size == 0:
                    num_done, size = num_lines, position
            file.truncate(size)
        return num_done

    def _lock(self) -> None:
        if not self._is_locked:
            message = f"Another process is writing {self.out}."
            self._locks.enter_context(exclusive_lock(self.partial, message))
            self._is_locked = True

    def close(self) -> None:
        """Lets other processes continue the file."""
        self._locks.close()
        self._is_locked = False

    def _check_settings(self, settings: dict) -> None:
        try:
            previous = read_json(self.header, {})
        except (OSError, UserError) as error:
            raise UserError(
                f"Cannot read {self.header}, the settings of {self.partial}: {error}. "
                "Remove both files and start again."
            ) from error
        differences = [
            f"{key}: {previous.get(key)!r} before, {settings.get(key)!r} now"
            for key in previous | settings
            if previous.get(key) != settings.get(key)
        ]
        if differences:
            raise UserError(
                f"{self.partial} was written with other options. Continue it with the "
                "same options.\n" + "\n".join(differences)
            )

    def append(self, predictions: Iterable[dict]) -> None:
        """Writes the next predictions."""
        if self._unsaved_settings is not None:
            self._lock()
            write_json(self.header, self._unsaved_settings)
            self._unsaved_settings = None
        with open(self.partial, "a", encoding="utf-8") as file:
            file.write("".join(map(json_line, predictions)))

    def __iter__(self) -> Iterator[dict]:
        with open(self.partial, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield dict(json.loads(line))
                except (ValueError, TypeError, RecursionError) as error:
                    raise UserError(
                        f"{self.partial}:{number} is damaged: {error}"
                    ) from error

    def finish(self, columns: dict) -> None:
        """Creates the file `out`, atomically, and removes the partial files.

        Args:
            columns: names and types of the columns of Parquet. A type is str, float, or
                `[{name: str or float}]`.
        """
        save = {".parquet": save_parquet, ".csv": save_csv}.get(self.out.suffix.lower())
        if save:
            scratch = self.out.with_name(self.out.name + ".scratch")
            save(self, columns, scratch)
            replace(scratch, self.out)
            self.partial.unlink()
        else:
            replace(self.partial, self.out)
        self.header.unlink()
        self.close()


def save_parquet(predictions: Iterable[dict], columns: dict, path: Path) -> None:
    """Writes predictions to a Parquet file, row group by row group.

    Args:
        predictions: the predictions. Missing values are null.
        columns: names and types of the columns, see `PredictionWriter.finish`.
        path: the file.
    """
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema(_to_arrow(columns))
    predictions = iter(predictions)
    with pyarrow.parquet.ParquetWriter(path, schema) as file:
        while rows := list(itertools.islice(predictions, ROW_GROUP_SIZE)):
            file.write_table(pyarrow.Table.from_pylist(rows, schema))


def save_csv(predictions: Iterable[dict], columns: dict, path: Path) -> None:
    """Writes predictions to a CSV file.

    Lists are JSON. For texts see `escape_formula`.

    Args:
        predictions: the predictions. Missing values are empty.
        columns: names of the columns, see `PredictionWriter.finish`.
        path: the file.
    """
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for prediction in predictions:
            writer.writerow([_csv_cell(prediction.get(name)) for name in columns])


def _csv_cell(value: object) -> object:
    if isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return value
    return escape_formula(escape_unprintable(value))


def _to_arrow(column_type: dict | list | type) -> "pyarrow.DataType":
    import pyarrow

    if isinstance(column_type, dict):
        fields = [(name, _to_arrow(inner)) for name, inner in column_type.items()]
        return pyarrow.struct(fields)
    if isinstance(column_type, list):
        return pyarrow.list_(_to_arrow(column_type[0]))
    return {str: pyarrow.string(), float: pyarrow.float64()}[column_type]
