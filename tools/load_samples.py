"""Memory, open files, threads and time of a process that repeats something."""

import time
from typing import Any

import numpy as np
import psutil

WARM_UP = 0.2  # share of the units that the slope leaves out
MEGABYTE = 1e6


class Samples:
    """Samples of a process, taken from outside.

    Args:
        pid: of the process.

    Attributes:
        rows: dicts of `done`, the finished units; `seconds`; `rss` and `uss`, the
            resident memory and its part that no other process shares, in MB; and the
            numbers of open `files` and `threads`.
    """

    def __init__(self, pid: int):
        self.process, self.rows = psutil.Process(pid), []

    def add(self, done: int) -> None:
        """Takes a sample.

        Args:
            done: number of finished units.

        Raises:
            psutil.Error: the process has ended.
        """
        with self.process.oneshot():
            memory = self.process.memory_full_info()
            row = {
                "done": done,
                "seconds": time.monotonic(),
                "rss": memory.rss / MEGABYTE,
                "uss": memory.uss / MEGABYTE,
                "files": self.process.num_fds(),
                "threads": self.process.num_threads(),
            }
        self.rows.append(row)

    def summary(self) -> dict[str, Any]:
        """Returns the slopes of memory after the warm-up, and starts and ends.

        Returns:
            `rss_slope` and `uss_slope` in MB a unit, by least squares; `rss`, `uss`,
            `files` and `threads` at the first and the last sample; and `first_tenth`
            and `last_tenth`, seconds a unit. None where there are too few samples.
        """
        if not self.rows:
            return {}
        first, last = self.rows[0], self.rows[-1]
        names = "rss", "uss", "files", "threads"
        ends = {name: [first[name], last[name]] for name in names}
        begin, width = first["done"], last["done"] - first["done"]
        warm = [r for r in self.rows if r["done"] >= begin + WARM_UP * width]
        slopes = {f"{name}_slope": _slope(warm, name) for name in ("rss", "uss")}
        tenths = {
            "first_tenth": [r for r in self.rows if r["done"] <= begin + width / 10],
            "last_tenth": [r for r in self.rows if r["done"] >= begin + width * 0.9],
        }
        seconds = {name: _seconds_a_unit(rows) for name, rows in tenths.items()}
        return slopes | ends | seconds


def _slope(rows, name):
    done = [row["done"] for row in rows]
    if len(set(done)) < 2:
        return None
    return float(np.polyfit(done, [row[name] for row in rows], 1)[0])


def _seconds_a_unit(rows):
    """Seconds a unit between the first and the last of some samples."""
    units = rows[-1]["done"] - rows[0]["done"] if rows else 0
    return (rows[-1]["seconds"] - rows[0]["seconds"]) / units if units else None
