"""Runs the contenders of a section in turn, each in a process of its own."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOOLS = Path(__file__).parents[1]
SECONDS_BETWEEN_CALLS = 0.3  # until thread pools sleep and buffers are full
LOG_CHARACTERS = 2000  # of a worker that failed
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "1",  # as `import kerasgan` sets it, for all
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # several processes use the GPU
}


@dataclass(frozen=True)
class Contender:
    """One row of a section.

    Attributes:
        name: of the row.
        function: `"module:function"`, see `worker.py`.
        arguments: of the function.
        ours: whether it is kerasgan, whose ratios to all rows are reported.
        needs_torch: whether it runs in the interpreter that has PyTorch.
    """

    name: str
    function: str
    arguments: dict[str, Any] = field(default_factory=dict)
    ours: bool = False
    needs_torch: bool = False


@dataclass(frozen=True)
class Section:
    """What is compared with each other.

    Attributes:
        title: one line.
        unit: of the values; `"s"` means that less is better.
        contenders: the rows.
    """

    title: str
    unit: str
    contenders: tuple[Contender, ...]


class WorkerFailed(Exception):
    """A worker ended without a reply; the message is the end of its log."""


class Worker:
    """A process that runs a contender.

    Args:
        contender: the contender.
        options: for its function, see `bench.py`.
        interpreter: path of a Python interpreter.
    """

    def __init__(self, contender: Contender, options: dict[str, Any], interpreter: str):
        self.contender = contender
        settings = {"options": options, "arguments": contender.arguments}
        self.log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        paths = str(TOOLS), str(TOOLS.parent), os.environ.get("PYTHONPATH")
        path = os.pathsep.join(filter(None, paths))
        module = [interpreter, "-m", "benchmarks.worker"]
        self.process = subprocess.Popen(
            [*module, contender.function, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, **ENVIRONMENT, "PYTHONPATH": path},
        )

    def read(self) -> dict[str, Any]:
        """Waits for the next reply.

        Raises:
            WorkerFailed: there is none.
        """
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.log.seek(0)
            text = self.log.read()[-LOG_CHARACTERS:]
            raise WorkerFailed(f"exit status {status}\n{text}")
        return json.loads(line)

    def call(self) -> dict[str, Any]:
        """Runs the contender once, and returns the amount and the seconds.

        Raises:
            WorkerFailed: the process ended.
        """
        with contextlib.suppress(BrokenPipeError):  # `read` says why
            print(file=self.process.stdin, flush=True)
        return self.read()

    def close(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.communicate()
        self.log.close()


def run_section(
    section: Section,
    options: dict[str, Any],
    rounds: int,
    torch_python: str = sys.executable,
    say: Callable[[str], None] = print,
) -> dict[str, dict[str, Any]]:
    """Measures all contenders of a section.

    Each round calls each contender once; the next round begins with the next one. While
    one is called, the others wait.

    Args:
        section: the section.
        options: for the contenders' functions, see `bench.py`.
        rounds: number of rounds.
        torch_python: interpreter of the contenders that need PyTorch.
        say: prints a line.

    Returns:
        For each row `{"values": [one a round], "versions": {…}}`, `{"skipped": reason}`
        or `{"failed": reason}`.
    """
    rows: dict[str, dict[str, Any]] = {}
    with _started(section, options, torch_python, rows, say) as workers:
        for number in range(rounds):
            first = number % max(len(workers), 1)
            for worker in [*workers[first:], *workers[:first]]:
                row = rows[worker.contender.name]
                if "failed" in row:
                    continue
                time.sleep(SECONDS_BETWEEN_CALLS)
                try:
                    result = worker.call()
                except WorkerFailed as error:
                    row["failed"] = str(error)
                    continue
                rate = result["amount"] / result["seconds"]
                row["values"].append(1 / rate if section.unit == "s" else rate)
            say(f"round {number + 1} of {rounds}")
    return rows


@contextlib.contextmanager
def _started(section, options, torch_python, rows, say) -> Iterator[list[Worker]]:
    """Starts the workers one after another; those that cannot run are left out."""
    workers = []
    try:
        for contender in section.contenders:
            interpreter = torch_python if contender.needs_torch else sys.executable
            worker = Worker(contender, options, interpreter)
            workers.append(worker)
            try:
                reply = worker.read()
            except WorkerFailed as error:
                reply = {"failed": str(error)}
            if "versions" in reply:
                reply["values"] = []
            rows[contender.name] = reply
            state = "skipped" if "skipped" in reply else "failed"
            say(f"{contender.name}: {reply.get(state, 'ready')}")
        yield [worker for worker in workers if "values" in rows[worker.contender.name]]
    finally:
        for worker in workers:
            worker.close()
