"""Training batches in an order that depends on seed and epoch alone."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from kerasgan.data.groups import hold_out_groups
from kerasgan.data.stored_arrays import StoredImages, choose_captions

BLOCK_SIZE = 32  # images that lie together on the disk and in a buffer
BUFFER_SIZE = 8192  # images that are shuffled together
MIN_VALIDATION, MAX_VALIDATION = 32, 250  # images
GRAYSCALE_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R 601


class PairDataset:
    """Images and their captions, batched anew in each epoch.

    The order depends on the number of images alone, so that batches from memory equal
    those from the disk.

    Args:
        images: uint8 `(n, size, size, channels)`.
        token_ids: for each image its captions' ids, a list of int32 arrays
            `(captions, length)`; None without captions.
        rows: the rows to train with; None for all.
    """

    def __init__(
        self,
        images: np.ndarray,
        token_ids: Sequence[np.ndarray] | None = None,
        rows: np.ndarray | None = None,
    ):
        self.rows = np.arange(len(images)) if rows is None else rows
        self.num_captions = None
        with tf.device("/cpu:0"):
            self.images = tf.constant(images)
            if token_ids is not None:
                self.num_captions = np.array([len(ids) for ids in token_ids])
                first_caption = np.cumsum(self.num_captions) - self.num_captions
                self.first_caption = tf.constant(first_caption)
                self.token_ids = tf.constant(np.concatenate(token_ids))

    @property
    def count(self) -> int:
        """Number of images to train with."""
        return len(self.rows)

    def batches(
        self, batch_size: int, seed: int, first_epoch: int = 1
    ) -> tf.data.Dataset:
        """Creates the batches of `first_epoch` and all that follow, without end.

        Each epoch has every image once, with one of its captions, in
        `steps(batch_size)` batches; images that do not fill a batch are left for
        another epoch.

        Args:
            batch_size: images a batch.
            seed: int >= 0.
            first_epoch: counted from 1.

        Returns:
            A `tf.data.Dataset` of `{"image", "token_ids"}`, or `{"image"}` without
            captions.
        """

        def order(epoch):
            return self._order(batch_size, seed, int(epoch))

        def rows_of_epoch(epoch):
            rows = tf.numpy_function(order, [epoch], (tf.int64, tf.int64))
            for row in rows:
                row.set_shape((self.steps(batch_size) * batch_size,))
            dataset = tf.data.Dataset.from_tensor_slices(tuple(rows))
            return self._read_ahead(dataset)

        dataset = tf.data.Dataset.counter(first_epoch).flat_map(rows_of_epoch)
        dataset = dataset.batch(batch_size, drop_remainder=True)
        dataset = dataset.map(self._gather, num_parallel_calls=tf.data.AUTOTUNE)
        return dataset.prefetch(tf.data.AUTOTUNE)

    def steps(self, batch_size: int) -> int:
        """Returns the number of batches in an epoch.

        Args:
            batch_size: images a batch.
        """
        return self.count // batch_size

    def check(self) -> None:
        """Raises a `UserError` if the images cannot be read; called after an error."""

    def _order(self, batch_size, seed, epoch):
        """Rows of the images, and the number of a caption of each."""
        random = np.random.default_rng((seed, epoch))
        images = self.rows[shuffled_rows(self.count, random)]
        images = images[: self.steps(batch_size) * batch_size]
        captions = np.zeros_like(images)
        if self.num_captions is not None:
            choice = random.random(len(images)) * self.num_captions[images]
            captions = choice.astype(int)
        return images, captions

    def _read_ahead(self, rows):
        return rows

    def _gather(self, images, captions):
        batch = {"image": tf.gather(self.images, images)}
        if self.num_captions is not None:
            captions += tf.gather(self.first_caption, images)
            batch["token_ids"] = tf.gather(self.token_ids, captions)
        return batch


class StoredPairDataset(PairDataset):
    """Images and their captions on the disk, read and tokenized for each batch.

    Args:
        images: of a prepared split.
        num_captions: of each image, at least 1, int `(n,)`; None without captions.
        vectorizer: tokenizes captions; None without captions.
        rows: the rows to train with; None for all.
    """

    def __init__(
        self,
        images: StoredImages,
        num_captions: np.ndarray | None = None,
        vectorizer: keras.layers.Layer | None = None,
        rows: np.ndarray | None = None,
    ):
        self.rows = np.arange(len(images)) if rows is None else rows
        self.images, self.num_captions = images, num_captions
        self.vectorizer = vectorizer

    def check(self) -> None:
        """See `PairDataset`."""
        self.images.check()

    def _read_ahead(self, rows):
        def prefetch(images):
            self.images.shards.prefetch(images)
            return images

        def prefetch_buffer(images, captions):
            shape = images.shape
            images = tf.numpy_function(prefetch, [images], tf.int64)
            return tf.ensure_shape(images, shape), captions

        buffers = rows.batch(BUFFER_SIZE).map(prefetch_buffer)
        return buffers.prefetch(1).unbatch()

    def _gather(self, images, captions):
        records = self.images.shards.records(images)
        batch = {"image": self.images.decode(records)}
        if self.num_captions is not None:
            batch["token_ids"] = self._token_ids(choose_captions(records, captions))
        return batch

    def _token_ids(self, captions):
        token_ids = self.vectorizer(captions)
        token_ids = tf.ensure_shape(token_ids, (*captions.shape, None))
        return tf.cast(token_ids, tf.int32)


def shuffled_rows(count: int, random: np.random.Generator) -> np.ndarray:
    """Shuffles rows so that a disk is read in blocks.

    Blocks of neighboring rows are shuffled, and then the rows in each buffer of many
    blocks. Up to `BUFFER_SIZE` rows, all orders are equally likely.

    Args:
        count: number of rows.
        random: draws the order.

    Returns:
        The rows 0 to count - 1 in a new order, int64.
    """
    blocks = random.permutation(-(-count // BLOCK_SIZE))
    rows = (blocks[:, None] * BLOCK_SIZE + np.arange(BLOCK_SIZE)).ravel()
    rows = rows[rows < count]
    for start in range(0, count, BUFFER_SIZE):
        random.shuffle(rows[start : start + BUFFER_SIZE])
    return rows


def hold_out(
    groups: np.ndarray, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Divides training images into those to train with and those to validate with.

    Args:
        groups: the group of each image, int `(n,)`. None is separated.
        share: of the images that validate, at most `MAX_VALIDATION`. Where that would
            be fewer than `MIN_VALIDATION`, none do.
        seed: int.

    Returns:
        Sorted rows to train with, and sorted rows to validate with.

    Raises:
        UserError: images validate, but all are of one group.
    """
    count = min(round(share * len(groups)), MAX_VALIDATION)
    if count < MIN_VALIDATION:
        return np.arange(len(groups)), np.array([], int)
    order = np.random.default_rng(seed).permutation(len(groups))
    train_rows, held_out = hold_out_groups(order, groups, count)
    return np.sort(train_rows), np.sort(held_out)


def to_grayscale(images: np.ndarray | StoredImages) -> np.ndarray | StoredImages:
    """Converts RGB images to luminance, ITU-R 601.

    Args:
        images: uint8 `(n, size, size, 3)`.

    Returns:
        uint8 `(n, size, size, 1)`; images on the disk are converted when they are read.
    """
    if isinstance(images, StoredImages):
        return images.converted(_luminance, channels=1)
    return _luminance(images)


def _luminance(images: np.ndarray) -> np.ndarray:
    luminance = images @ np.array(GRAYSCALE_WEIGHTS, dtype="float32")
    return np.rint(luminance).astype("uint8")[..., None]
