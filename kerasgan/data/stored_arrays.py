"""Images and captions that stay on the disk until they are indexed."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute
import tensorflow as tf

from kerasgan.data.shards import IMAGE, Shards, decode_image, explain_read_errors

BATCH_SIZE = 64  # images that are decoded at once
CAPTIONS = {"captions": tf.io.RaggedFeature(tf.string)}


class StoredImages:
    """Images of a prepared split, which are read when they are indexed.

    Like a numpy array uint8 `(n, size, size, channels)`, they have `shape`, `dtype`,
    `ndim` and `len`, and are indexed by a row, a slice or an array of rows.

    Args:
        shards: the records of the split.
        size: width and height in pixels.
        rows: of the split that are meant, int `(n,)`; None for all.
        convert: from an array of RGB images to one of other channels; None for none.
        channels: of the converted images.
    """

    dtype, ndim = np.dtype(np.uint8), 4

    def __init__(
        self,
        shards: Shards,
        size: int,
        rows: np.ndarray | None = None,
        convert: Callable[[np.ndarray], np.ndarray] | None = None,
        channels: int = 3,
    ):
        self.shards, self.convert = shards, convert
        self.rows = np.arange(len(shards)) if rows is None else rows
        self.shape = (len(self.rows), size, size, channels)

    def select(self, rows: Any) -> "StoredImages":
        """Returns some of the images, without reading them.

        Args:
            rows: a slice or an array of rows.
        """
        size, channels = self.shape[2:]
        return StoredImages(self.shards, size, self.rows[rows], self.convert, channels)

    def converted(
        self, convert: Callable[[np.ndarray], np.ndarray], channels: int
    ) -> "StoredImages":
        """Returns the same images, which are converted when they are read.

        Args:
            convert: from RGB images to uint8 `(n, size, size, channels)`.
            channels: of the converted images.
        """
        return StoredImages(self.shards, self.shape[1], self.rows, convert, channels)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        for batch in self.batches(BATCH_SIZE):
            yield from batch

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def __getitem__(self, rows: Any) -> np.ndarray:
        if np.ndim(self.rows[rows]) == 0:
            return self[[rows]][0]
        selected = self.select(rows)
        images, start = np.empty(selected.shape, self.dtype), 0
        for batch in selected.batches(BATCH_SIZE):
            images[start : start + len(batch)] = batch
            start += len(batch)
        return images

    def batches(self, batch_size: int) -> Iterator[np.ndarray]:
        """Reads and decodes all images in order, ahead, and in threads.

        Args:
            batch_size: images a batch; the last one may be smaller.

        Yields:
            uint8 `(batch_size, size, size, channels)`.

        Raises:
            UserError: a shard is damaged.
        """
        with tf.device("/cpu:0"), explain_read_errors(self):
            rows = tf.data.Dataset.range(len(self)).batch(batch_size)
            batches = rows.map(self.gather, num_parallel_calls=tf.data.AUTOTUNE)
            yield from batches.prefetch(2).as_numpy_iterator()

    def check(self) -> None:
        """Raises a `UserError` that names the first shard that is damaged."""
        self.shards.check()

    def gather(self, rows: tf.Tensor) -> tf.Tensor:
        """Reads and decodes images in a graph.

        Args:
            rows: int `(n,)`.

        Returns:
            uint8 `(n, size, size, channels)`.
        """
        return self.decode(self.shards.records(tf.gather(self.rows, rows)))

    def decode(self, records: tf.Tensor) -> tf.Tensor:
        """Decodes the images of records in a graph.

        Args:
            records: the result of `Shards.records`.

        Returns:
            uint8 `(n, size, size, channels)`.
        """
        data = tf.io.parse_example(records, IMAGE)["image"]
        images = tf.map_fn(decode_image, data, fn_output_signature=tf.uint8)
        if self.convert:
            images = tf.numpy_function(self.convert, [images], tf.uint8)
        return tf.ensure_shape(images, (*records.shape, *self.shape[1:]))


class StoredCaptions(Sequence):
    """The captions of each image of a prepared split, in a memory map.

    Args:
        column: of the index of the split, see `open_index`.
    """

    def __init__(self, column: pa.ChunkedArray):
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, row: int) -> list[str]: ...
    @overload
    def __getitem__(self, row: slice) -> list[list[str]]: ...
    def __getitem__(self, row):
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        return self._column[int(row)].as_py()

    def __iter__(self) -> Iterator[list[str]]:
        for chunk in self._column.chunks:
            yield from chunk.to_pylist()

    @property
    def counts(self) -> np.ndarray:
        """The number of captions of each image, int32 `(n,)`."""
        return pa.compute.list_value_length(self._column).to_numpy()


def gather_function(array: np.ndarray | StoredImages) -> Callable:
    """Returns a function that gathers rows in a graph, from memory or from the disk.

    Args:
        array: `(n, ...)`.

    Returns:
        A function of rows, int `(m,)`, that returns a tensor `(m, ...)`.
    """
    if isinstance(array, StoredImages):
        return array.gather
    with tf.device("/cpu:0"):
        tensor = tf.constant(array)
    return functools.partial(tf.gather, tensor)


def select_rows(
    array: np.ndarray | StoredImages, rows: Any
) -> np.ndarray | StoredImages:
    """Selects rows, without reading them from the disk.

    Args:
        array: `(n, ...)`.
        rows: a slice or an array of rows.
    """
    return array.select(rows) if isinstance(array, StoredImages) else array[rows]


def choose_captions(records: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """Takes one caption of each record, in a graph.

    Args:
        records: the result of `Shards.records`, `(n,)`.
        numbers: of the captions, int64 `(n,)`; 0 for a record without captions.

    Returns:
        Strings `(n,)`, empty for a record without captions.
    """
    captions = tf.io.parse_example(records, CAPTIONS)["captions"].to_tensor("")
    captions = tf.pad(captions, [[0, 0], [0, 1]])
    chosen = tf.gather(captions, numbers, batch_dims=1)
    return tf.ensure_shape(chosen, numbers.shape)
