"""Answers on their way into a file, so that an interruption loses none of them.

FILE.partial       the answers so far, as JSON lines
FILE.partial.json  what they are answers to
FILE               all of them, as JSON lines or Parquet, once the last one is there
"""

import itertools
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from kerasgan.errors import UserError
from kerasgan.files import write_json

FORMATS = (".jsonl", ".parquet")
GROUP = 4096  # rows of a row group


def json_line(answer: dict) -> str:
    return json.dumps(answer, ensure_ascii=False) + "\n"


class PredictionWriter:
    """The answers that go into one file.

    Args:
        out: the file; its ending says the format.
        resume: whether an interrupted one is continued.

    Attributes:
        finished: whether the file is there already, whole.

    Raises:
        UserError: another ending, or without `resume` a file that is there already.
    """

    def __init__(self, out: str, resume: bool):
        self.out = Path(out).expanduser().absolute()
        self.partial = self.out.with_name(self.out.name + ".partial")
        self.header = self.out.with_name(self.out.name + ".partial.json")
        if self.out.suffix.lower() not in FORMATS:
            raise UserError(f"--out {out}: must end in {' or '.join(FORMATS)}")
        self.finished, self._new = self.out.is_file(), None
        if self.out.exists() and not self.finished:
            raise UserError(f"--out {self.out} is no file.")
        if not resume and self.finished:
            raise UserError(f"{self.out} is there already: remove it or name another.")
        if not resume and self.partial.exists():
            raise UserError(
                f"{self.partial} was left by an interruption. Go on with --resume, or"
                " remove it."
            )

    def begin(self, question: dict, chunk: int) -> int:
        """Begins, or goes on after what is whole.

        Args:
            question: all that the answers depend on, of JSON's types.
            chunk: answers that are given at once; a piece of one is given again, so
                that each has the neighbours that it would have had.

        Returns:
            How many answers are there.

        Raises:
            UserError: the interrupted one had another; each difference is named.
        """
        if not self.partial.exists():
            self.out.parent.mkdir(parents=True, exist_ok=True)
            self._new = question
            return 0
        self._refuse_others(question)
        done = count = size = end = 0
        with open(self.partial, "r+b") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                count, end = count + 1, end + len(line)
                if count % chunk == 0:
                    done, size = count, end
            file.truncate(size)
        return done

    def _refuse_others(self, question: dict) -> None:
        try:
            before = dict(json.loads(self.header.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{self.header} cannot be read ({error}), which says what"
                f" {self.partial} answers: remove both and begin anew."
            ) from error
        lines = [
            f"{key}: {before.get(key)!r} there, {question.get(key)!r} now"
            for key in before | question
            if before.get(key) != question.get(key)
        ]
        if lines:
            raise UserError(
                f"{self.partial} was begun with other options; it goes on with the"
                " same.\n" + "\n".join(lines)
            )

    def append(self, answers: Iterable[dict]) -> None:
        if self._new is not None:
            write_json(self.header, self._new)
            self._new = None
        with open(self.partial, "a", encoding="utf-8") as file:
            file.write("".join(map(json_line, answers)))

    def __iter__(self) -> Iterator[dict]:
        """The answers that are there."""
        with open(self.partial, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield dict(json.loads(line))
                except (ValueError, TypeError) as error:
                    raise UserError(
                        f"{self.partial}:{number} is damaged: {error}"
                    ) from error

    def finish(self, columns: dict) -> None:
        """Puts the file into place, whole.

        Args:
            columns: of Parquet: name to str, float, or `[{name: str or float}]`.
        """
        if self.out.suffix.lower() == ".parquet":
            scratch = self.out.with_name(self.out.name + ".scratch")
            save_parquet(self, columns, scratch)
            _put(scratch, self.out)
            self.partial.unlink()
        else:
            _put(self.partial, self.out)
        self.header.unlink()


def _put(scratch: Path, path: Path) -> None:
    with open(scratch, "rb") as file:
        os.fsync(file.fileno())
    os.replace(scratch, path)


def save_parquet(answers: Iterable[dict], columns: dict, path: Path) -> None:
    """Writes answers row group by row group; what an answer does not have is null."""
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema(_arrow(columns))
    answers = iter(answers)
    with pyarrow.parquet.ParquetWriter(path, schema) as file:
        while rows := list(itertools.islice(answers, GROUP)):
            file.write_table(pyarrow.Table.from_pylist(rows, schema))


def _arrow(kind):
    import pyarrow

    if isinstance(kind, dict):
        return pyarrow.struct([(name, _arrow(inner)) for name, inner in kind.items()])
    if isinstance(kind, list):
        return pyarrow.list_(_arrow(kind[0]))
    return {str: pyarrow.string(), float: pyarrow.float64()}[kind]
