"""What was repaired and what was left out while reading, counted and named."""

from collections import Counter
from dataclasses import dataclass, field

from kerasgan.errors import UserError

EXAMPLES_PER_REASON = 5
MAX_VALUE_LENGTH = 200  # characters


@dataclass
class ReadReport:
    """Counts by reason, with the first few examples of each.

    Attributes:
        rows: annotation rows read.
        bad_rows: those of them that could not be used.
        skipped: reason to count; images where the image is at fault, rows
            where a row is.
    """

    rows: int = 0
    bad_rows: int = 0
    repaired: int = 0
    skipped: Counter = field(default_factory=Counter)
    examples: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _shown: Counter = field(default_factory=Counter)
    _bad: set = field(default_factory=set)

    def skip(self, reason: str, file, line, value: str, bad_rows: int = 1) -> None:
        """Counts one thing left out; `bad_rows` 0 if nothing was lost by it."""
        self.skipped[reason] += 1
        self.bad_rows += bad_rows
        if bad_rows:
            self._bad.add(reason)
        self._example(reason, file, line, value)

    def repair(self, reason: str, file, line, value: str) -> None:
        self.repaired += 1
        self._example(f"repaired: {reason}", file, line, value)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _example(self, reason, file, line, value) -> None:
        self._shown[reason] += 1
        if self._shown[reason] <= EXAMPLES_PER_REASON:
            value = str(value)[:MAX_VALUE_LENGTH]
            self.examples.append(
                {"reason": reason, "file": str(file), "line": line, "value": value}
            )

    def refuse_beyond(self, max_bad: float) -> None:
        """UserError if more than the share `max_bad` of the rows is bad."""
        share = self.bad_rows / max(self.rows, 1)
        if share <= max_bad:
            return
        counts = self.skipped.most_common()
        reasons = ", ".join(f"{n} × {why}" for why, n in counts if why in self._bad)
        bad = [example for example in self.examples if example["reason"] in self._bad]
        lines = [
            f"  {e['file']}:{e['line']}: {e['reason']}: {e['value']}" for e in bad[:10]
        ]
        raise UserError(
            f"{self.bad_rows} of {self.rows} rows are bad ({share:.1%}), more than "
            f"data.max_bad={max_bad:g} allows: {reasons}. The first ones:\n"
            + "\n".join(lines)
        )
