"""One pass over all pictures: checked, squared, and put into a scratch file."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

from kerasgan.data.ledger import Ledger
from kerasgan.data.pictures import BadPicture, strict_pillow
from kerasgan.data.plan import Plan
from kerasgan.data.progress import bar
from kerasgan.data.sources import Made

CHUNK = 16  # pictures that a thread takes at once


@dataclass(frozen=True)
class Entry:
    """A good picture; its encoded bytes are in the scratch file."""

    id: str
    start: int
    length: int
    digest: str
    captions: tuple[str, ...]
    label: str | None
    split: str | None  # as published
    group: str | None = None

    def keys(self, captions: bool = False) -> list[str]:
        """What no picture on the other side of a split may have: this one's bytes,
        its group, and, where asked for, its captions."""
        said = [f"caption {text.casefold()}" for text in self.captions if captions]
        return [self.digest, *filter(None, [self.group]), *said]

    def read(self, scratch: BinaryIO) -> bytes:
        return os.pread(scratch.fileno(), self.length, self.start)


def make_all(
    plan: Plan, ledger: Ledger, scratch: BinaryIO, progress: bool
) -> list[Entry]:
    """Every good picture, in order; the bad ones are entered in `ledger`.

    Encoded pictures go into `scratch`, so memory holds a few at a time.
    """
    entries, start = [], 0
    title, total = f"Preparing {plan.config.dataset}", len(plan.pictures.ids)
    with bar(title, total, progress) as advance, strict_pillow():
        for name, made in _in_threads(plan.pictures.make, plan.pictures.ids):
            advance()
            if isinstance(made, BadPicture):
                _skip(plan, ledger, name, str(made))
                continue
            scratch.write(made.image)
            entries.append(_entry(plan, made, start))
            start += len(made.image)
        scratch.flush()
    return entries


def _entry(plan: Plan, made: Made, start: int) -> Entry:
    annotations, captions = plan.pictures.annotations, tuple(made.captions)
    split = group = None
    if annotations:
        picture = annotations.pictures[made.id]
        split, group = picture.split, picture.group
    length = len(made.image)
    return Entry(
        made.id, start, length, made.digest, captions, made.label, split, group
    )


def _skip(plan: Plan, ledger: Ledger, name: str, reason: str) -> None:
    picture = plan.pictures.annotations.pictures[name]
    ledger.skip(reason, picture.file, picture.line, name, picture.rows)


def _in_threads(
    make: Callable[[str], Made], names: list[str]
) -> Iterator[tuple[str, Made | BadPicture]]:
    """`make` of every name, in their order; Pillow's work lets go of the GIL."""

    def attempt(chunk):
        return [(name, _or_reason(make, name)) for name in chunk]

    workers = cores()
    chunks = (names[at : at + CHUNK] for at in range(0, len(names), CHUNK))
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


def _or_reason(make: Callable[[str], Made], name: str) -> Made | BadPicture:
    try:
        return make(name)
    except BadPicture as reason:
        return reason


def cores() -> int:
    """How many this process may use, where the system tells (macOS does not)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
