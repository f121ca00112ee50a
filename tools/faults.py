"""Disturbs what writes and reads files, and checks that nothing is lost silently.

    python tools/faults.py --minutes 60 --out faults.json
    python tools/faults.py --jobs index,train --faults killed,flipped --trials 500
    python tools/faults.py --seed 7 --first 300      # continues after trial 299

A trial takes a job (`fault_jobs.py`) and a fault. A job is killed, interrupted or runs
out of disk at a file operation or byte that seed and number of the trial choose; or a
file that it has written is deleted or damaged afterwards. Then the job is continued. It
ends well in one of two ways: "same", the result of an undisturbed job; or "named", an
error for the user, which is no traceback. Everything else fails: another result, an
exception, a signal.

Each trial is a child that is forked after all imports, before TensorFlow starts
threads.
"""

import argparse
import importlib
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `tests`

from fault_jobs import JOBS
from fault_kinds import FAULTS, Trial

FAILED = "failed"


def run_trial(name: str, fault: str, choices: random.Random, root: Path) -> dict:
    """Runs one trial.

    Args:
        name: of the job.
        fault: its name in `FAULTS`.
        choices: makes all choices.
        root: an empty folder.

    Returns:
        `outcome`, "same", "named", "failed" or "skipped", and `detail`.
    """
    trial = Trial(JOBS[name], root, choices)
    try:
        detail = FAULTS[fault](trial)
    except Exception as error:  # of a fault, or what a job must not do
        return {"outcome": FAILED, "detail": f"{type(error).__name__} {error}"[-600:]}
    outcome, _, detail = detail.partition(": ")
    return {"outcome": outcome, "detail": detail}


def pairs_of(jobs: list[str], faults: list[str]) -> list[tuple[str, str]]:
    """Returns the pairs of jobs and faults that are possible."""
    return [
        (job, fault)
        for job in jobs
        for fault in faults
        if fault not in JOBS[job].immune
    ]


def campaign(options: argparse.Namespace) -> list[dict]:
    """Runs trials until their number or time is reached, and returns them.

    Args:
        options: of the command line.
    """
    names = options.jobs.split(",") if options.jobs else list(JOBS)
    faults = options.faults.split(",") if options.faults else list(FAULTS)
    if {"scenes", "table", "train"} & set(names):
        importlib.import_module("tensorflow_datasets")  # before the first child
    pairs = pairs_of(names, faults)
    weights = [1 / JOBS[name].cost for name, _ in pairs]
    end = time.monotonic() + 60 * (options.minutes or float("inf"))
    number, results = options.first, []
    while time.monotonic() < end:
        if options.trials and number >= options.first + options.trials:
            break
        choices = random.Random(f"{options.seed} {number}")
        name, fault = choices.choices(pairs, weights)[0]
        with tempfile.TemporaryDirectory(prefix="kerasgan-fault-") as root:
            result = run_trial(name, fault, choices, Path(root))
        result = {"trial": number, "job": name, "fault": fault, **result}
        if result["outcome"] == FAILED:
            print(json.dumps(result), flush=True)
        results.append(result)
        if options.out:
            options.out.write_text(json.dumps(results, indent=1), encoding="utf-8")
        number += 1
    return results


def print_tables(results: list[dict]) -> None:
    """Prints how many of each fault and of each job ended in which way."""
    for key in ("fault", "job"):
        print(f"\n{key:<20}{'tried':>8}{'same':>8}{'named':>8}{'failed':>8}")
        counts = Counter((result[key], result["outcome"]) for result in results)
        for name in sorted({result[key] for result in results}):
            figures = [counts[name, kind] for kind in ("same", "named", FAILED)]
            row = "".join(f"{figure:>8,}" for figure in (sum(figures), *figures))
            print(f"{name:<20}{row}")


def main() -> None:
    """Runs the campaign that the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", help=f"of {', '.join(JOBS)}; all by default")
    parser.add_argument("--faults", help=f"of {', '.join(FAULTS)}; all by default")
    parser.add_argument("--trials", type=int, help="how many at most")
    parser.add_argument("--minutes", type=float, help="how long at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first trial"
    )
    parser.add_argument("--out", type=Path, help="JSON file with all trials")
    options = parser.parse_args()
    if not (options.trials or options.minutes):
        parser.error("--trials or --minutes is needed")
    results = campaign(options)
    print_tables(results)
    sys.exit(any(result["outcome"] == FAILED for result in results))


if __name__ == "__main__":
    main()
