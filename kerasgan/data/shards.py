"""Random access to the records of a prepared split."""

import contextlib
import os
import weakref
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerasgan.data.shard_index import FEATURES, damaged, open_index, shard_paths

IMAGE = {"image": tf.io.FixedLenFeature((), tf.string)}
BATCH_SIZE = 256  # images
FRAME, TRAILER = 16, 4  # bytes that TFRecord adds to a record, and those after it


class Shards:
    """The TFRecord files of a split, whose records are read in any order.

    Args:
        path: directory of the prepared data set.
        name: of the split.
        ids: of its images, in order.

    Attributes:
        paths: of the files.
        table: captions and labels of the images, a memory map; see `open_index`.

    Raises:
        UserError: a file is missing, truncated or damaged, or holds other images.
        JobError: the index cannot be written.
    """

    def __init__(self, path: Path, name: str, ids: list[str]):
        self.paths, counts = shard_paths(path, name)
        self.table = open_index(path / f"{name}.index.arrow", self.paths, counts, ids)
        self.sizes = self.table["size"].to_numpy()
        self._checksums = self.table["checksum"].to_numpy()
        self.first_rows = np.cumsum([0, *counts])
        ends = np.cumsum(self.sizes + FRAME)
        starts = np.concatenate([[0], ends])[self.first_rows]
        self._file_sizes = np.diff(starts)
        self._check_sizes()
        self._shards = np.repeat(np.arange(len(counts)), counts)
        self._offsets = ends - self.sizes - TRAILER - starts[self._shards]
        self._files = [os.open(path, os.O_RDONLY) for path in self.paths]
        # At exit, threads may still be reading.
        weakref.finalize(self, _close, self._files).atexit = False
        self._check_first_records(ids)

    def __len__(self) -> int:
        return len(self.sizes)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Reads records.

        Args:
            rows: int `(n,)`.

        Returns:
            Serialized `tf.train.Example`s, bytes `(n,)`.

        Raises:
            UserError: a file has become shorter, or has changed.
        """
        places = zip(
            self._shards[rows],
            self._offsets[rows],
            self.sizes[rows],
            self._checksums[rows],
            strict=True,
        )
        return np.array([self._read(*place) for place in places], object)

    def places(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns where records begin, for readers of TFRecord files.

        Args:
            rows: int, of any shape.

        Returns:
            The index of each record's file in `paths`, and its position there in
            bytes; int64 of the shape of `rows`.
        """
        return self._shards[rows], self._offsets[rows] - (FRAME - TRAILER)

    def _read(self, shard, offset, size, checksum):
        record = os.pread(self._files[shard], size, offset)
        if len(record) < size:
            raise damaged(self.paths[shard], "it is truncated")
        if zlib.crc32(record) != checksum:
            raise damaged(self.paths[shard], "a record has another checksum")
        return record

    def read_images(self, shape: tuple[int, ...]) -> np.ndarray:
        """Reads all images.

        Args:
            shape: `(n, height, width, channels)`.

        Returns:
            uint8 of this shape.

        Raises:
            UserError: a file is damaged.
        """
        images, start = np.empty(shape, np.uint8), 0
        if not len(self):
            return images
        dataset = tf.data.TFRecordDataset([str(path) for path in self.paths])
        dataset = dataset.map(_decode, num_parallel_calls=tf.data.AUTOTUNE)
        with explain_read_errors(self):
            for batch in dataset.batch(BATCH_SIZE).prefetch(2).as_numpy_iterator():
                images[start : start + len(batch)] = batch
                start += len(batch)
        return images

    def prefetch(self, rows: np.ndarray) -> None:
        """Asks the operating system to read records into its cache.

        Args:
            rows: int `(n,)`. Neighbors are read together.
        """
        if not hasattr(os, "posix_fadvise"):  # macOS
            return
        rows = np.sort(rows)
        shards = self._shards[rows]
        is_first = (np.diff(rows, prepend=-2) > 1) | (np.diff(shards, prepend=-1) > 0)
        first = np.flatnonzero(is_first)
        last = np.append(first[1:], len(rows)) - 1
        for shard, start, end, size in zip(
            shards[first],
            self._offsets[rows[first]],
            self._offsets[rows[last]],
            self.sizes[rows[last]],
            strict=True,
        ):
            length = end + size - start
            os.posix_fadvise(self._files[shard], start, length, os.POSIX_FADV_WILLNEED)

    def records(self, rows: tf.Tensor) -> tf.Tensor:
        """Reads records in a graph.

        Args:
            rows: int64 `(n,)`.

        Returns:
            Serialized `tf.train.Example`s, strings `(n,)`.
        """
        records = tf.numpy_function(self.read, [rows], tf.string)
        return tf.ensure_shape(records, rows.shape)

    def check(self) -> None:
        """Reads all records with their checksums, and decodes the images.

        Raises:
            UserError: naming the first file that is damaged.
        """
        for path in self.paths:
            try:
                for _ in tf.data.TFRecordDataset(str(path)).map(_decode):
                    pass
            except tf.errors.OpError as error:
                raise damaged(path, error.message) from error
        self._check_sizes()

    def _check_sizes(self):
        for path, size in zip(self.paths, self._file_sizes, strict=True):
            found = path.stat().st_size
            if found != size:
                reason = "truncated" if found < size else "not the file that was here"
                raise damaged(path, f"it is {reason}: {found} bytes instead of {size}")

    def _check_first_records(self, ids):
        for path, row in zip(self.paths, self.first_rows, strict=False):
            if row < len(self):
                example = tf.io.parse_example(self.read([row]), FEATURES)
                found = example["image_id"].numpy()[0].decode()
                if found != ids[row]:
                    raise damaged(
                        path, f"it starts with image {found} instead of {ids[row]}"
                    )


@contextlib.contextmanager
def explain_read_errors(source: Any) -> Iterator[None]:
    """Names the file that is damaged where TensorFlow cannot read images.

    Args:
        source: of the images that are read in the context. Those on the disk have a
            method `check`; nothing is done for arrays.

    Raises:
        UserError: a file is damaged.
    """
    try:
        yield
    except tf.errors.OpError:
        if hasattr(source, "check"):
            source.check()
        raise


def decode_image(data: tf.Tensor, channels: int = 3) -> tf.Tensor:
    """Decodes an image in a graph.

    Args:
        data: an encoded image, a string.
        channels: of the image.

    Returns:
        uint8 `(height, width, channels)`.
    """
    return tf.io.decode_image(data, channels, expand_animations=False)


def _decode(record):
    image = tf.io.parse_single_example(record, IMAGE)["image"]
    return decode_image(image)


def _close(files):
    for file in files:
        os.close(file)
