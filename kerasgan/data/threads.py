"""Applies a function to the items of an iterable in threads, in order."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kerasgan.data.images import BadImage

Item = TypeVar("Item")
Result = TypeVar("Result")
THREAD_CHUNK_SIZE = 16  # items that a thread takes at once
CHUNKS_PER_WORKER = 4  # that are processed ahead


def map_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[tuple[Item, Result | BadImage]]:
    """Applies a function to all items in threads; Pillow releases the GIL.

    Only a few chunks for each core are processed before their results are consumed.

    Args:
        function: applied to each item. It may raise `BadImage`.
        items: the items.

    Yields:
        Each item, in order, with the result or the `BadImage` that was raised.
    """

    def process(chunk: list[Item]) -> list:
        return [(item, _call(function, item)) for item in chunk]

    num_workers, items = available_cores(), iter(items)
    chunks = iter(lambda: list(itertools.islice(items, THREAD_CHUNK_SIZE)), [])
    with ThreadPoolExecutor(num_workers) as executor:
        pending = deque(
            executor.submit(process, chunk)
            for chunk in itertools.islice(chunks, CHUNKS_PER_WORKER * num_workers)
        )
        while pending:
            results = pending.popleft().result()
            for chunk in itertools.islice(chunks, 1):
                pending.append(executor.submit(process, chunk))
            yield from results


def _call(function: Callable[[Item], Result], item: Item) -> Result | BadImage:
    try:
        return function(item)
    except BadImage as error:
        return error


def available_cores() -> int:
    """Returns the number of cores this process may use, or of all (macOS)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
