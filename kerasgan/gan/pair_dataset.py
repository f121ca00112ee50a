"""Training batches in an order that depends on seed and epoch alone."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

MIN_VALIDATION, MAX_VALIDATION = 32, 250  # images
GRAYSCALE_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R 601


class PairDataset:
    """Images and their captions in memory, batched anew in each epoch.

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
        self.count = len(self.rows)
        with tf.device("/cpu:0"):
            self.images = tf.constant(images)
            self.token_ids = None
            if token_ids is not None:
                self.num_captions = np.array([len(ids) for ids in token_ids])
                self.first_caption = np.cumsum(self.num_captions) - self.num_captions
                self.token_ids = tf.constant(np.concatenate(token_ids))

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
            return tf.data.Dataset.from_tensor_slices(tuple(rows))

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

    def _order(self, batch_size, seed, epoch):
        random = np.random.default_rng((seed, epoch))
        images = self.rows[random.permutation(self.count)]
        images = images[: self.steps(batch_size) * batch_size]
        captions = np.zeros_like(images)
        if self.token_ids is not None:
            choice = random.random(len(images)) * self.num_captions[images]
            captions = self.first_caption[images] + choice.astype(int)
        return images, captions

    def _gather(self, images, captions):
        batch = {"image": tf.gather(self.images, images)}
        if self.token_ids is not None:
            batch["token_ids"] = tf.gather(self.token_ids, captions)
        return batch


def hold_out(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divides training images into those to train with and those to validate with.

    Args:
        count: number of images.
        share: of the images that validate, at most `MAX_VALIDATION`. Where that would
            be fewer than `MIN_VALIDATION`, none do.
        seed: int.

    Returns:
        Sorted rows to train with, and sorted rows to validate with.
    """
    size = min(round(share * count), MAX_VALIDATION)
    size = size if size >= MIN_VALIDATION else 0
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[size:]), np.sort(order[:size])


def to_grayscale(images: np.ndarray) -> np.ndarray:
    """Converts RGB images to luminance, ITU-R 601.

    Args:
        images: uint8 `(n, size, size, 3)`.

    Returns:
        uint8 `(n, size, size, 1)`.
    """
    luminance = images @ np.array(GRAYSCALE_WEIGHTS, dtype="float32")
    return np.rint(luminance).astype("uint8")[..., None]
