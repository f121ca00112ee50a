"""Runs a function over an iterable in threads, in order."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kerasgan.data.images import BadImage

Name, Result = TypeVar("Name"), TypeVar("Result")
THREAD_CHUNK = 16  # images that a thread takes at once


def map_in_threads(
    make: Callable[[Name], Result], names: Iterable[Name]
) -> Iterator[tuple[Name, Result | BadImage]]:
    """`make` of every name, in their order; Pillow's work lets go of the GIL.

    A few chunks for each core are made ahead of what is asked for, and no more.
    """

    def attempt(chunk):
        return [(name, _or_reason(make, name)) for name in chunk]

    workers, names = available_cores(), iter(names)
    chunks = iter(lambda: list(itertools.islice(names, THREAD_CHUNK)), [])
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque(
            pool.submit(attempt, chunk)
            for chunk in itertools.islice(chunks, 4 * workers)
        )
        while waiting:
            done = waiting.popleft().result()
            for chunk in itertools.islice(chunks, 1):
                waiting.append(pool.submit(attempt, chunk))
            yield from done


def _or_reason(make, name):
    try:
        return make(name)
    except BadImage as reason:
        return reason


def available_cores() -> int:
    """How many this process may use, where the system tells (macOS does not)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
