"""Features that stay on the disk until they are indexed."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


class StoredFeatures:
    """Features of a split in several `.npy` files, which are indexed like one array.

    The files are mapped into memory, so that the operating system keeps of them what
    fits.

    Args:
        paths: of the files, in order.
        shard_size: images in each file but the last one.
        shape: of the features of all images, `(n, ...)`.
    """

    dtype = np.dtype(np.float16)

    def __init__(self, paths: Sequence[Path], shard_size: int, shape: tuple[int, ...]):
        self.shape, self.ndim, self.shard_size = shape, len(shape), shard_size
        self.shards = [np.load(path, mmap_mode="r") for path in paths]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Size of all features in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def __getitem__(self, rows: Any) -> np.ndarray:
        selected = np.arange(len(self))[rows]
        if selected.ndim == 0:
            return self[selected[None]][0]
        features = np.empty((len(selected), *self.shape[1:]), self.dtype)
        numbers = selected // self.shard_size
        for number in np.unique(numbers):
            is_here = numbers == number
            places = selected[is_here] - number * self.shard_size
            features[is_here] = self.shards[number][places]
        return features


class SelectedRows:
    """Some rows of an array, in memory or on the disk, which are not copied.

    Args:
        array: `(n, ...)`.
        rows: int `(m,)`.
    """

    def __init__(self, array: Any, rows: np.ndarray):
        self.array, self.rows = array, rows
        self.shape = (len(rows), *array.shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return self.array[self.rows[rows]]


Features = np.ndarray | StoredFeatures | SelectedRows
