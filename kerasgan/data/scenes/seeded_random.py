"""Random choices that are the same with every version of Python and NumPy."""

import random
from collections.abc import Sequence
from typing import TypeVar

Option = TypeVar("Option")


class SeededRandom:
    """A stream of random choices that is determined by a key.

    Only `random.Random.random` is used: Python guarantees its values for a given seed,
    but not those of `choice`, `randint` or `shuffle`.

    Args:
        *key: values that are joined to a string, which seeds the stream.
    """

    def __init__(self, *key: object):
        self._random = random.Random("/".join(map(str, key))).random

    def chance(self, probability: float) -> bool:
        """Returns True with the given probability."""
        return self._random() < probability

    def integer(self, low: int, high: int) -> int:
        """Returns an integer from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def choice(self, options: Sequence[Option]) -> Option:
        """Returns one of the options, all with the same probability."""
        return options[int(self._random() * len(options))]

    def shuffled(self, options: Sequence[Option]) -> list[Option]:
        """Returns the options as a list in random order."""
        return [option for _, option in sorted((self._random(), o) for o in options)]
