"""Groups of images that belong together, and that no validation separates."""

from collections.abc import Mapping, Sequence

import numpy as np

from kerasgan.errors import UserError


def number_groups(ids: Sequence[str], shared: Mapping[str, int]) -> np.ndarray:
    """Numbers the groups of images.

    Args:
        ids: of n images.
        shared: the group of each image that shares one; any other is alone.

    Returns:
        int64 `(n,)`, equal for images of one group: the row of its first image.
    """
    first: dict[str | int, int] = {}
    numbers = [
        first.setdefault(shared.get(name, name), row) for row, name in enumerate(ids)
    ]
    return np.array(numbers, np.int64)


def require_several_groups(groups: np.ndarray) -> None:
    """Checks that some images can be held out without images of their group.

    Args:
        groups: the group of each image, int `(n,)`.

    Raises:
        UserError: all images are of one group.
    """
    if len(np.unique(groups)) < 2:
        raise UserError(
            "Validation needs training images that do not belong together. Received:"
            f" {len(groups)} training images that do, because they are equal, in one"
            " row of a table, or have equal texts (data.group_by=captions). Use more"
            " data, or a larger data.split."
        )


def hold_out_groups(
    order: np.ndarray, groups: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Divides shuffled rows without separating a group.

    The first `count` rows are held out if each is alone in its group. Otherwise groups
    are, in the order of their first rows. One that would exceed `count` is passed over,
    and if the others are too few, the smallest of these is held out, too.

    Args:
        order: some rows in random order, int `(n,)`.
        groups: the group of each row of the split, int.
        count: number of rows to hold out, at least 1.

    Returns:
        The rows to train on and the rows that are held out, both as in `order`.

    Raises:
        UserError: all rows are of one group.
    """
    require_several_groups(groups[order])
    rows_of: dict[int, list[int]] = {}
    for row in order.tolist():
        rows_of.setdefault(int(groups[row]), []).append(row)
    held_out: list[int] = []
    too_large: list[list[int]] = []
    for rows in rows_of.values():
        if len(held_out) + len(rows) <= count:
            held_out += rows
        else:
            too_large.append(rows)
    if len(held_out) < count and len(too_large) > 1:
        smallest: list[int] = min(too_large, key=len)
        held_out += smallest
    is_held_out = np.isin(order, held_out)
    return order[~is_held_out], order[is_held_out]
