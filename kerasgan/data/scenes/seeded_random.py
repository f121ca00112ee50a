"""Random choices that are the same with every version of Python and NumPy."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class SeededRandom:
    """A stream of choices that depends on nothing but the words in `key`.

    Only `random()` is used: Python promises its values for a given seed, and promises
    nothing for `choice`, `randint` or `shuffle`.
    """

    def __init__(self, *key: object):
        self._random = random.Random("/".join(map(str, key))).random

    def chance(self, share: float) -> bool:
        return self._random() < share

    def between(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._random() * len(options))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        return [option for _, option in sorted((self._random(), o) for o in options)]
