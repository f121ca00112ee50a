"""The lock of a run, which is trained by one process and thread at a time."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from kerasgan.files import exclusive_lock

_LOCKED: ContextVar[frozenset[Path]] = ContextVar("locked", default=frozenset())


@contextlib.contextmanager
def lock_run(path: Path) -> Iterator[None]:
    """Keeps others from training a run.

    Whoever holds the lock may enter again: a command holds it over all stages, each of
    which takes it for itself when it is called alone.

    Args:
        path: of the run directory.

    Raises:
        UserError: another process or thread trains the run.
    """
    if path in _LOCKED.get():
        yield
        return
    message = f"Another process trains {path}. Wait until it has ended."
    with exclusive_lock(path / ".lock", message):
        token = _LOCKED.set(_LOCKED.get() | {path})
        try:
            yield
        finally:
            _LOCKED.reset(token)
