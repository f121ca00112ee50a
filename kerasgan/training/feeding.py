"""Batches for one epoch, in an order that seed and epoch alone decide."""

import numpy as np
import tensorflow as tf


class PairFeed:
    """Pictures with their captions, held once, dealt out epoch by epoch.

    Args:
        images: uint8 `(n, size, size, channels)`.
        token_ids: for each picture its captions' ids, a list of int32 arrays
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
        """A `tf.data.Dataset` of `{"image", "token_ids"}`, each picture once with one
        of its captions; pictures that fill no batch wait for another epoch."""
        random = np.random.default_rng((seed, epoch))
        pictures = random.permutation(self.count)
        pictures = pictures[: self.count // batch_size * batch_size]
        rows = np.zeros_like(pictures)
        if self.token_ids is not None:
            choice = random.random(len(pictures)) * self.captions[pictures]
            rows = self.first[pictures] + choice.astype(int)
        dataset = tf.data.Dataset.from_tensor_slices((pictures, rows))
        dataset = dataset.batch(batch_size, drop_remainder=True)
        dataset = dataset.map(self._gather, num_parallel_calls=tf.data.AUTOTUNE)
        return dataset.prefetch(tf.data.AUTOTUNE)

    def _gather(self, pictures, rows):
        batch = {"image": tf.gather(self.images, pictures)}
        if self.token_ids is not None:
            batch["token_ids"] = tf.gather(self.token_ids, rows)
        return batch


def to_grey(images):
    """RGB uint8 `(n, size, size, 3)` to luminance `(n, size, size, 1)`, ITU-R 601."""
    grey = images @ np.array([0.299, 0.587, 0.114], dtype="float32")
    return np.rint(grey).astype("uint8")[..., None]
