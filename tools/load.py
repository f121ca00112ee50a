"""Repeats what kerasgan does for long, and measures what grows.

    python tools/load.py --out load.json
    python tools/load.py --loads training,requests --epochs 50 --requests 2000
    python tools/load.py --minutes 10          # of each load at most

Loads (`load_kinds.py`): short epochs of the embedded recipe (training), searches in one
process, requests to the page of `kerasgan serve`, and captions of many images
(inference). Each runs in a process of its own, which is looked at from outside at
regular points (`load_samples.py`). Prints the slope of the memory that no other process
shares, by least squares after a fifth of the units, and memory, open files, threads and
time a unit at the start and at the end. --out has all samples.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `tests`

import psutil
from load_kinds import LOADS
from load_samples import Samples

COUNTS = {  # of each load: name and default number of its units
    "training": ("epochs", 200),
    "searches": ("searches", 100_000),
    "requests": ("requests", 10_000),
    "inference": ("images", 50_000),
}
NUM_SAMPLES = 200  # about, of a load
LOG_CHARACTERS = 2000  # of a process that failed


class LoadFailed(Exception):
    """A process ended too early; the message is the end of its output."""


def run_load(name: str, count: int, minutes: float, folder: Path) -> dict[str, Any]:
    """Runs one load.

    Args:
        name: its key in `LOADS`.
        count: number of units.
        minutes: after which it is stopped, once it has begun to count.
        folder: an empty folder.

    Returns:
        `units` that were done while the process was looked at, the summary of its
        `Samples`, and `samples`.

    Raises:
        LoadFailed: the process ended with an error, or before it did all.
    """
    with LOADS[name](folder, count) as (process, progress):
        samples = Samples(process.pid)
        done, wanted, end = 0, 1, None
        while done < count and process.poll() is None:
            done = progress()
            if done >= wanted:
                end = end or time.monotonic() + 60 * minutes
                wanted = done + max(count // NUM_SAMPLES, 1)
                try:
                    samples.add(done)
                except psutil.Error:  # it has just ended
                    break
            if end and time.monotonic() > end:
                break
        if process.poll():
            log = (folder / "log").read_text(errors="replace")
            raise LoadFailed(f"status {process.returncode}\n{log[-LOG_CHARACTERS:]}")
    units = samples.rows[-1]["done"] if samples.rows else 0
    return {"units": units, **samples.summary(), "samples": samples.rows}


def table_row(name: str, result: dict[str, Any]) -> str:
    """Formats a result of `run_load` as a row of a table."""
    unit = COUNTS[name][0]
    if "rss" not in result:
        return f"| {result['units']:,} {unit} | too few to measure |"
    slope, milliseconds = result["uss_slope"], []
    for key in ("first_tenth", "last_tenth"):
        value = result[key]
        milliseconds.append("–" if value is None else f"{1000 * value:,.1f}")
    cells = [
        f"{result['units']:,} {unit}",
        "–" if slope is None else f"{10 * slope:+.4f}",
        *("{:,.0f}, {:,.0f}".format(*result[key]) for key in ("uss", "rss")),
        *("{}, {}".format(*result[key]) for key in ("files", "threads")),
        ", ".join(milliseconds),
    ]
    return f"| {' | '.join(cells)} |"


HEADER = (
    "| load | slope of memory, MB in 10 | memory, MB | with shared pages, MB |"
    " open files | threads | ms each, first and last tenth |\n" + "|---" * 7 + "|"
)


def main() -> None:
    """Runs the loads that the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--loads", default=",".join(LOADS), help="[all by default]")
    for name, (unit, count) in COUNTS.items():
        text = f"units of {name}  [default: {count:,}]"
        parser.add_argument(f"--{unit}", type=int, default=count, help=text)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="of each load at most"
    )
    parser.add_argument("--out", type=Path, help="JSON file with all samples")
    options = parser.parse_args()
    print(HEADER, flush=True)
    results: dict[str, dict] = {}
    for name in options.loads.split(","):
        count = getattr(options, COUNTS[name][0])
        with tempfile.TemporaryDirectory(prefix="kerasgan-load-") as folder:
            results[name] = run_load(name, count, options.minutes, Path(folder))
        print(table_row(name, results[name]), flush=True)
        if options.out:
            options.out.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
