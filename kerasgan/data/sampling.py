"""Sample sizes, samples and splits, determined by a seed and the ids of the images.

No random numbers are drawn: ids are sorted by a SHA-256 of seed, purpose and id, which
gives the same choice on every machine and with every version of Python.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from kerasgan.config.settings import DataConfig
from kerasgan.errors import UserError

ROUNDINGS = {"down": ROUND_FLOOR, "nearest": ROUND_HALF_UP, "up": ROUND_CEILING}


@dataclass(frozen=True)
class SampleSize:
    """Size of a sample.

    Attributes:
        size: number of images or rows.
        n0: Cochran's size before correction and rounding; None if not computed.
        formula: the computation as text; None if not computed.
    """

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
    """Computes Cochran's sample size.

    Paper A, equations (3) and (4): 384.16, which gives 384.

    Args:
        z: standard normal quantile of the confidence level (1.96 for 95 %).
        p: expected proportion, in (0, 1).
        e: margin of error, in (0, 1).
        rounding: "down", "nearest" (halves up) or "up".
        population: size N of the population, for the finite-population correction
            n = n0 / (1 + (n0 - 1) / N). None disables the correction.

    Returns:
        A `SampleSize`.
    """
    # Decimals, because 384.15999… as a float could be rounded to another integer.
    z, p, e = (Decimal(str(value)) for value in (z, p, e))
    n0 = n = z**2 * p * (1 - p) / e**2
    steps = f"n0 = z²·p·(1−p)/e² = {z}²·{p}·(1−{p})/{e}² = {_format(n0)}"
    if population is not None:
        n = n0 / (1 + (n0 - 1) / population)
        steps += (
            f"; n = n0/(1+(n0−1)/N) = {_format(n0)}/(1+({_format(n0)}−1)/{population})"
            f" = {_format(n)}"
        )
    size = int(n.quantize(Decimal(1), rounding=ROUNDINGS[rounding]))
    return SampleSize(size, float(n0), f"{steps} → {size} (rounded {rounding})")


def sample_size(config: DataConfig, population: int) -> SampleSize:
    """Returns the sample size that the settings specify.

    Args:
        config: settings of the data set.
        population: number of images or rows of which the sample is drawn.

    Returns:
        A `SampleSize`.
    """
    if config.sample == "all":
        return SampleSize(population)
    if config.sample == "paper":
        corrected = population if config.population_correction else None
        return cochran(config.z, config.p, config.e, config.rounding, corrected)
    return SampleSize(config.sample)


def _format(value: Decimal) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def seeded_order(keys: Iterable[str], seed: int, purpose: str) -> list[str]:
    """Returns the keys in an order that depends on seed and purpose only."""
    return sorted(keys, key=lambda key: (_digest(seed, purpose, key), key))


def _digest(seed: int, purpose: str, key: str) -> bytes:
    return hashlib.sha256(f"{seed}/{purpose}/{key}".encode()).digest()


def sample_items(keys: list[str], size: int, seed: int) -> set[str]:
    """Draws a sample of keys.

    Args:
        keys: ids of images or rows.
        size: size of the sample.
        seed: seed of the data set.

    Returns:
        The sampled keys.

    Raises:
        UserError: If there are fewer keys than `size`.
    """
    if size > len(keys):
        raise UserError(
            f"Cannot draw a sample of {size}: only {len(keys)} items can be used. Use "
            "--sample all, a smaller --sample N, or, with --sample paper, "
            "--population-correction."
        )
    return set(seeded_order(keys, seed, "sample")[:size])


def split_groups(groups: dict[str, str], train_share: float, seed: int) -> set[str]:
    """Chooses the ids of the training split; neither split is empty.

    Args:
        groups: group of each id, see `connected_groups`. The ids of a group are kept in
            the same split. The size of the split is exact unless the groups make that
            impossible.
        train_share: share of the ids in the training split, in (0, 1); their number is
            rounded half up.
        seed: seed of the data set.

    Returns:
        The ids of the training split.

    Raises:
        UserError: If there are fewer than two groups.
    """
    members: dict[str, list[str]] = {}
    for name in sorted(groups):
        members.setdefault(groups[name], []).append(name)
    if len(members) < 2:
        raise UserError(
            "At least 2 different images are needed for a split. Received: "
            f"{len(members)}"
        )
    train_size = math.floor(len(groups) * train_share + 0.5)
    train_size = min(max(train_size, 1), len(groups) - 1)
    by_first_id = {names[0]: names for names in members.values()}
    train: set[str] = set()
    for first_id in seeded_order(by_first_id, seed, "split"):
        if len(train) + len(by_first_id[first_id]) <= train_size:
            train.update(by_first_id[first_id])
    if not train:
        smallest: list[str] = min(members.values(), key=len)
        train.update(smallest)
    return train


def connected_groups(keys: dict[str, list[str]]) -> dict[str, str]:
    """Groups ids that share a key, directly or through other ids (union-find).

    Args:
        keys: at least one key of each id, such as the digest or the perceptual hash of
            an image.

    Returns:
        The group of each id.
    """
    parents: dict[str, str] = {}

    def find_root(key: str) -> str:
        while (parent := parents.get(key, key)) != key:
            parents[key] = key = parents.get(parent, parent)
        return key

    for first, *others in keys.values():
        for other in others:
            parents[find_root(other)] = find_root(first)
    return {name: find_root(first) for name, (first, *_) in keys.items()}
