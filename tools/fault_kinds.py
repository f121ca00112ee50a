"""The faults of `tools/faults.py`."""

import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from fault_children import (
    Outcome,
    obey_permissions,
    run_child,
    start_child,
    wait_for,
)
from fault_jobs import Job
from fault_sources import source_changed, source_gone, source_moved

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
DAY = 86_400  # seconds
POLL_SECONDS = 0.01


class Undisturbed(NamedTuple):
    """What a job does that is not disturbed.

    Attributes:
        result: of its check.
        num_events: operations on files while it works.
        num_bytes: size of its largest file.
        seconds: of the processor that it works.
    """

    result: Any
    num_events: int
    num_bytes: int
    seconds: float


class Trial:
    """A job in a folder of its own, with what it leaves undisturbed.

    Args:
        job: the job.
        root: an empty folder.
        choices: makes all choices.
    """

    expected: dict[str, Undisturbed] = {}  # by job

    def __init__(self, job: Job, root: Path, choices: random.Random):
        self.job, self.choices, self.root = job, choices, root / "trial"
        if job.name not in self.expected:
            self.expected[job.name] = self._undisturbed(root / "undisturbed")
        self.undisturbed = self.expected[job.name]
        self.root.mkdir()
        self.do(lambda: job.setup(self.root))

    def _undisturbed(self, root):
        def whole():
            self.job.setup(root)
            return self.job.check(root)

        def run():
            self.job.setup(root)
            count = count_events(root)
            start = time.process_time()
            self.job.work(root)
            seconds, events = time.process_time() - start, count()
            files = [path for path in root.rglob("*") if path.is_file()]
            size = max((path.stat().st_size for path in files), default=0)
            return Undisturbed(self.job.check(root), events, size, seconds)

        undisturbed = self._measure(run, root)
        if self.job.is_whole and self._measure(whole, root) != undisturbed.result:
            raise RuntimeError("a job that is continued has another result")
        return undisturbed

    def _measure(self, function, root):
        root.mkdir()
        outcome = run_child(function)
        shutil.rmtree(root)
        if outcome.kind != "value":
            raise RuntimeError(f"undisturbed: {outcome.value}")
        return outcome.value

    def do(self, function: Callable[[], Any]) -> Any:
        """Runs a step in a child that must not fail."""
        outcome = run_child(function)
        if outcome.kind != "value":
            raise RuntimeError(outcome.value)
        return outcome.value

    def work(self, before: Callable[[], None] | None = None) -> Outcome:
        """Does the work of the job in a child, with a fault."""
        outcome = run_child(lambda: self.job.work(self.root), before)
        if outcome.kind == "failed":
            raise RuntimeError(outcome.value)
        return outcome

    def assess(self) -> str:
        """Continues the job, and compares its result with the undisturbed one."""
        outcome = run_child(lambda: self.job.check(self.root))
        if outcome.kind == "value":
            if outcome.value != self.undisturbed.result:
                raise RuntimeError(f"another result: {outcome.value!r:.200}")
            return "same: "
        if outcome.kind != "named" or "Traceback" in outcome.value:
            raise RuntimeError(outcome.value)
        return f"named: {outcome.value}"


def count_events(root: Path, at: int | None = None, action=None):
    """Counts operations on files in a folder, and may act at one of them.

    Args:
        root: the folder.
        at: number of the operation, from 1.
        action: called before it.

    Returns:
        A function that returns the count.
    """
    count, folder = 0, os.fspath(root)

    def hook(event, arguments):
        nonlocal count
        if event in EVENTS and str(arguments[0]).startswith(folder):
            count += 1
            if count == at:
                action()

    sys.addaudithook(hook)
    return lambda: count


# Faults while a job works -------------------------------------------------------


def at_event(*signals: int) -> Callable[[Trial], str]:
    """Returns a fault: signals at an operation on a file that is chosen."""

    def fault(trial):
        place = trial.choices.randint(1, max(trial.undisturbed.num_events, 1))

        def send():
            for number in signals:
                os.kill(os.getpid(), number)

        def before():
            signal.signal(signal.SIGINT, signal.default_int_handler)
            count_events(trial.root, place, send)

        outcome = trial.work(before)
        return f"{trial.assess()} [{outcome.kind}]"

    return fault


def killed_at_any_time(trial: Trial) -> str:
    """Kills the job as `kill -9` does, after a share of its time of the processor."""
    limit = trial.choices.random() * trial.undisturbed.seconds
    child = start_child(lambda: trial.job.work(trial.root))
    worker = psutil.Process(child[0])
    while worker.status() != psutil.STATUS_ZOMBIE:
        if sum(worker.cpu_times()[:2]) >= limit:
            worker.kill()
            break
        time.sleep(POLL_SECONDS)
    outcome = wait_for(child)
    end = "killed" if outcome.kind == "signal" else "ended before"
    return f"{trial.assess()} [{end}, after {limit:.1f} s]"


def _limit(trial, handler):
    size = trial.choices.randrange(max(trial.undisturbed.num_bytes, 1))

    def before():
        signal.signal(signal.SIGXFSZ, handler)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return before


def killed_while_writing(trial: Trial) -> str:
    """Kills the job in the middle of a file: no file may grow beyond a size."""
    trial.work(_limit(trial, signal.SIG_DFL))
    return trial.assess()


def full_disk(trial: Trial) -> str:
    """Lets writes fail beyond a size of a file, as on a full disk."""
    trial.work(_limit(trial, signal.SIG_IGN))
    return trial.assess()


def read_only(trial: Trial) -> str:
    """Forbids to write while the work is done."""
    paths = [trial.root, *trial.root.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        trial.work(obey_permissions)
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    return trial.assess()


def two_processes(trial: Trial) -> str:
    """Does the work in two processes at once."""
    children = [start_child(lambda: trial.job.work(trial.root)) for _ in range(2)]
    outcomes = [wait_for(child) for child in children]
    for outcome in outcomes:
        if outcome.kind not in ("value", "named"):
            raise RuntimeError(outcome.value)
    if all(outcome.kind == "named" for outcome in outcomes):
        raise RuntimeError(f"both were refused: {outcomes[0].value}")
    return trial.assess()


# Faults of files ----------------------------------------------------------------


def on_file(damage: Callable[[Path, random.Random], None]) -> Callable[[Trial], str]:
    """Returns a fault: one of the files is damaged after the work is done."""

    def fault(trial):
        trial.do(lambda: trial.job.work(trial.root))
        paths = sorted(p for p in trial.root.rglob("*") if p.is_file())
        paths = [path for path in paths if not trial.job.ignores(path)]
        path = trial.choices.choice(paths)
        damage(path, trial.choices)
        try:
            return f"{trial.assess()} [{path.relative_to(trial.root)}]"
        except RuntimeError as error:
            raise RuntimeError(f"{path.relative_to(trial.root)}: {error}") from error

    return fault


def truncate(path: Path, choices: random.Random) -> None:
    """Cuts off the end of a file."""
    os.truncate(path, choices.randrange(max(path.stat().st_size, 1)))


def flip(path: Path, choices: random.Random) -> None:
    """Flips one bit of a file."""
    content = bytearray(path.read_bytes())
    if content:
        content[choices.randrange(len(content))] ^= 1 << choices.randrange(8)
        path.write_bytes(content)


def clear_block(path: Path, choices: random.Random) -> None:
    """Replaces a block of a file by zeros, as after a power failure."""
    content = bytearray(path.read_bytes())
    start = choices.randrange(len(content) + 1)
    length = min(choices.choice((16, 512, 4096)), len(content) - start)
    content[start : start + length] = bytes(length)
    path.write_bytes(content)


def exchange(path: Path, choices: random.Random) -> None:
    """Replaces a file by another one of the same kind, or by its own name."""
    others = sorted(path.parent.glob(f"*{path.suffix}"))
    path.write_bytes(choices.choice([p.read_bytes() for p in others if p.is_file()]))
    if len(others) == 1:
        path.write_text(path.name)


def change_times(path: Path, choices: random.Random) -> None:
    """Sets the times of all files beside a file, as a wrong clock does."""
    for other in path.parent.iterdir():
        moment = time.time() + choices.choice((-3650, -1, 1, 3650)) * DAY
        os.utime(other, (moment, moment))


FAULTS: dict[str, Callable[[Trial], str]] = {
    "killed": at_event(signal.SIGKILL),
    "killed-at-any-time": killed_at_any_time,
    "killed-while-writing": killed_while_writing,
    "sigterm": at_event(signal.SIGTERM),
    "sighup": at_event(signal.SIGHUP),
    "ctrl-c": at_event(signal.SIGINT),
    "ctrl-c-twice": at_event(signal.SIGINT, signal.SIGINT),
    "full-disk": full_disk,
    "read-only": read_only,
    "two-processes": two_processes,
    "deleted": on_file(lambda path, choices: path.unlink()),
    "emptied": on_file(lambda path, choices: os.truncate(path, 0)),
    "truncated": on_file(truncate),
    "flipped": on_file(flip),
    "cleared": on_file(clear_block),
    "exchanged": on_file(exchange),
    "clock": on_file(change_times),
    "source-changed": source_changed,
    "source-moved": source_moved,
    "source-gone": source_gone,
}
