"""Batches for one epoch, in an order that seed and epoch alone decide."""

import numpy as np
import tensorflow as tf


class PairDataset:
    """Images with their captions, held once, dealt out epoch by epoch.

    Args:
        images: uint8 `(n, size, size, channels)`.
        token_ids: for each image its captions' ids, a list of int32 arrays
            `(captions, length)`; None without captions.
    """

    def __init__(self, images, token_ids=None):
        self.count = len(images)
        with tf.device("/cpu:0"):
            self.images = tf.constant(images)
            self.token_ids = None
            if token_ids is not None:
                self.captions = np.array([len(ids) for ids in token_ids])
                self.first = np.cumsum(self.captions) - self.captions
                self.token_ids = tf.constant(np.concatenate(token_ids))

    def batches(self, batch_size, seed, epoch):
        """A `tf.data.Dataset` of `{"image", "token_ids"}`, each image once with one
        of its captions; images that fill no batch wait for another epoch."""
        random = np.random.default_rng((seed, epoch))
        images = random.permutation(self.count)
        images = images[: self.count // batch_size * batch_size]
        rows = np.zeros_like(images)
        if self.token_ids is not None:
            choice = random.random(len(images)) * self.captions[images]
            rows = self.first[images] + choice.astype(int)
        dataset = tf.data.Dataset.from_tensor_slices((images, rows))
        dataset = dataset.batch(batch_size, drop_remainder=True)
        dataset = dataset.map(self._gather, num_parallel_calls=tf.data.AUTOTUNE)
        return dataset.prefetch(tf.data.AUTOTUNE)

    def _gather(self, images, rows):
        batch = {"image": tf.gather(self.images, images)}
        if self.token_ids is not None:
            batch["token_ids"] = tf.gather(self.token_ids, rows)
        return batch


def to_grayscale(images):
    """RGB uint8 `(n, size, size, 3)` to luminance `(n, size, size, 1)`, ITU-R 601."""
    grey = images @ np.array([0.299, 0.587, 0.114], dtype="float32")
    return np.rint(grey).astype("uint8")[..., None]
