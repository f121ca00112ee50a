"""Watches over files, time and memory while a damaged file is read."""

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SECONDS, MAX_MEMORY = 10, 2 << 30  # of a case
OPENING = {"open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir"}
FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.")
LIBRARIES = (  # may be opened: modules that are imported late, and devices
    *(os.path.realpath(path) for path in (sys.prefix, sys.base_prefix)),
    *(str(PACKAGE), "/usr", "/proc", "/sys", "/dev/null", "/dev/urandom"),
)


class Failure(Exception):
    """What a reader must not do."""


class Watch:
    """Watches over the files, time and memory of a case.

    Args:
        folder: where files may be opened.
    """

    def __init__(self, folder: Path):
        self.folder, self.is_active = os.path.realpath(folder), False
        self.escapes: list[str] = []
        sys.addaudithook(self._audit)
        signal.signal(signal.SIGPROF, self._stop)
        signal.signal(signal.SIGALRM, self._stop)

    def _audit(self, event, arguments):
        if not self.is_active:
            return
        if event.startswith(FORBIDDEN):
            self.escapes.append(f"{event} {arguments!r:.200}")
        elif event in OPENING and not isinstance(arguments[0], int | None):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if path != self.folder and not path.startswith(
                (self.folder + os.sep, *LIBRARIES)
            ):
                self.escapes.append(f"{event} {path}")

    def _stop(self, *_):
        raise Failure(f"more than {SECONDS} seconds")

    @contextlib.contextmanager
    def case(self) -> Iterator[None]:
        """Raises a `Failure` for what a case must not do."""
        self.escapes, before = [], _peak_memory()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, 30 * SECONDS)
        self.is_active = True
        try:
            yield
        finally:
            self.is_active = False
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            if self.escapes:
                raise Failure(f"outside the source: {self.escapes[0]}")
            if _peak_memory() - before > MAX_MEMORY:
                raise Failure("more than 2 GiB")


def _peak_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
