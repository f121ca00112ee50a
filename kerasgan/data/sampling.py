"""How many images, which ones, and on which side: from a seed and ids alone.

Nothing here draws random numbers: ids are put in the order of a SHA-256 of seed,
purpose and id, so the same choice comes out on every machine and version.
"""

import hashlib
import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from kerasgan.config.settings import DataConfig
from kerasgan.errors import UserError

ROUNDINGS = {"down": ROUND_FLOOR, "nearest": ROUND_HALF_UP, "up": ROUND_CEILING}


@dataclass(frozen=True)
class SampleSize:
    """A sample's size and, where it was computed, how."""

    size: int
    n0: float | None = None
    formula: str | None = None


def cochran(
    z: float,
    p: float,
    e: float,
    rounding: str = "down",
    population: int | None = None,
) -> SampleSize:
    """Cochran's sample size, paper A equations (3) and (4): 384.16 and so 384.

    Args:
        z: standard normal quantile of the confidence level (1.96 for 95 %).
        p: expected proportion, in (0, 1).
        e: margin of error, in (0, 1).
        rounding: "down", "nearest" (halves up) or "up".
        population: its size N, for the finite-population correction
            n = n0 / (1 + (n0 - 1) / N); None leaves the correction out.
    """
    # Decimals, because a float's 384.15999… could round to another integer.
    zd, pd, ed = (Decimal(str(value)) for value in (z, p, e))
    n0 = n = zd**2 * pd * (1 - pd) / ed**2
    steps = f"n0 = z²·p·(1−p)/e² = {zd}²·{pd}·(1−{pd})/{ed}² = {_short(n0)}"
    if population is not None:
        n = n0 / (1 + (n0 - 1) / population)
        steps += (
            f"; n = n0/(1+(n0−1)/N) = {_short(n0)}/(1+({_short(n0)}−1)/{population})"
            f" = {_short(n)}"
        )
    size = int(n.quantize(Decimal(1), rounding=ROUNDINGS[rounding]))
    return SampleSize(size, float(n0), f"{steps} → {size} (rounded {rounding})")


def sample_size(config: DataConfig, population: int) -> SampleSize:
    """How many images or rows the settings ask for."""
    if config.sample == "all":
        return SampleSize(population)
    if config.sample == "paper":
        corrected = population if config.population_correction else None
        return cochran(config.z, config.p, config.e, config.rounding, corrected)
    return SampleSize(config.sample)


def _short(value: Decimal) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def seeded_order(keys, seed: int, purpose: str) -> list:
    """`keys`, each a string, in an order that only seed and purpose decide."""
    return sorted(keys, key=lambda key: (_digest(seed, purpose, key), key))


def _digest(seed: int, purpose: str, key: str) -> bytes:
    return hashlib.sha256(f"{seed}/{purpose}/{key}".encode()).digest()


def sample_items(keys: list[str], size: int, seed: int) -> set[str]:
    """The `size` keys that are sampled; UserError if there are fewer."""
    if size > len(keys):
        raise UserError(
            f"A sample of {size} was asked for, and there are only {len(keys)} good "
            "ones. Use --sample all, a smaller --sample N, or (for --sample paper) "
            "--population-correction."
        )
    return set(seeded_order(keys, seed, "sample")[:size])


def split_groups(ids: dict[str, str], share: float, seed: int) -> set[str]:
    """The ids that train, `share` of them rounded half up, and never all or none.

    Args:
        ids: id to its group (`linked`), which stays on one side; the count is
            exact unless groups make that impossible.
        share: part that trains, in (0, 1).
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(ids):
        groups.setdefault(ids[name], []).append(name)
    if len(groups) < 2:
        raise UserError(
            f"{len(groups)} good and different images cannot be split; 2 are needed"
        )
    wanted = min(max(math.floor(len(ids) * share + 0.5), 1), len(ids) - 1)
    by_first = {members[0]: members for members in groups.values()}
    train: set[str] = set()
    for first in seeded_order(by_first, seed, "split"):
        if len(train) + len(by_first[first]) <= wanted:
            train.update(by_first[first])
    return train or set(min(by_first.values(), key=len))


def connected_groups(keys: dict[str, list[str]]) -> dict[str, str]:
    """Id to its group: ids that share a key, or are linked by others, are one group.

    Args:
        keys: id to what must not be on both sides of a split (the image's digest,
            its perceptual hash), at least one.
    """
    above: dict[str, str] = {}

    def top(key: str) -> str:
        while (upper := above.get(key, key)) != key:
            above[key] = key = above.get(upper, upper)
        return key

    for first, *others in keys.values():
        for other in others:
            above[top(other)] = top(first)
    return {name: top(first) for name, (first, *_) in keys.items()}
