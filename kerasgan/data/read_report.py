"""Counts of what was repaired and skipped while a data set was read."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from kerasgan.errors import UserError

EXAMPLES_PER_REASON = 5
MAX_VALUE_LENGTH = 200  # characters
MAX_LISTED_EXAMPLES = 10  # in an error message


@dataclass
class ReadReport:
    """Counts by reason, with the first few examples of each.

    Attributes:
        rows: number of annotation rows that were read.
        bad_rows: number of those that could not be used.
        repaired: number of rows that were repaired.
        skipped: reason to count. Reasons that concern an image count images, the
            others count rows.
        examples: dicts with the keys `reason`, `file`, `line` and `value`.
        notes: messages about the data set as a whole, without repetitions.
    """

    rows: int = 0
    bad_rows: int = 0
    repaired: int = 0
    skipped: Counter = field(default_factory=Counter)
    examples: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _num_examples: Counter = field(default_factory=Counter)
    _bad_reasons: set = field(default_factory=set)

    def skip(
        self,
        reason: str,
        file: Path | str,
        line: int | str,
        value: str,
        bad_rows: int = 1,
    ) -> None:
        """Counts one skipped image or row.

        Args:
            reason: why it was skipped.
            file: the annotation file.
            line: line number, or the name of the entry in the file.
            value: the name of the image, or the text of the row.
            bad_rows: number of rows that are lost. 0 if nothing is lost, as for
                duplicates.
        """
        self.skipped[reason] += 1
        self.bad_rows += bad_rows
        if bad_rows:
            self._bad_reasons.add(reason)
        self._add_example(reason, file, line, value)

    def repair(
        self, reason: str, file: Path | str, line: int | str, value: str
    ) -> None:
        """Counts one repaired row; for the arguments see `skip`."""
        self.repaired += 1
        self._add_example(f"repaired: {reason}", file, line, value)

    def note(self, text: str) -> None:
        """Adds a message, unless it has been added before."""
        if text not in self.notes:
            self.notes.append(text)

    def _add_example(self, reason, file, line, value) -> None:
        self._num_examples[reason] += 1
        if self._num_examples[reason] <= EXAMPLES_PER_REASON:
            value = str(value)[:MAX_VALUE_LENGTH]
            self.examples.append(
                {"reason": reason, "file": str(file), "line": line, "value": value}
            )

    def check_bad_rows(self, max_bad: float) -> None:
        """Checks the share of bad rows.

        Args:
            max_bad: largest share of bad rows that is allowed, in [0, 1].

        Raises:
            UserError: If the share is larger. The message names the first bad rows.
        """
        share = self.bad_rows / max(self.rows, 1)
        if share <= max_bad:
            return
        reasons = ", ".join(
            f"{count} × {reason}"
            for reason, count in self.skipped.most_common()
            if reason in self._bad_reasons
        )
        examples = [e for e in self.examples if e["reason"] in self._bad_reasons]
        lines = [
            f"  {e['file']}:{e['line']}: {e['reason']}: {e['value']}"
            for e in examples[:MAX_LISTED_EXAMPLES]
        ]
        raise UserError(
            f"{self.bad_rows} of {self.rows} rows are bad ({share:.1%}), more than "
            f"data.max_bad={max_bad:g} allows: {reasons}. The first of them:\n"
            + "\n".join(lines)
        )
