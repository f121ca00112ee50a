"""Pairs with classes, as a classifier is fed with them."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from kerasgan.data.text import tokenize

MAX_CAPTIONS = 5  # of an image that are learnt from


@dataclass
class PairExamples:
    """Images with captions and classes.

    Attributes:
        ids: n str.
        images: uint8 `(n, size, size, 3)`, or features `(n, d)` of a frozen image_encoder.
        texts: for each image its captions, none, one or several.
        labels: int64 `(n,)`, or None where they are not known.
        token_ids: `(n, k, length)` int32, zero beyond an image's last caption; what
            `tokenize` sets.
    """

    ids: list[str]
    images: np.ndarray
    texts: list[list[str]]
    labels: np.ndarray | None
    token_ids: np.ndarray | None = None

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, rows):
        return PairExamples(
            [self.ids[row] for row in rows],
            self.images[rows],
            [self.texts[row] for row in rows],
            None if self.labels is None else self.labels[rows],
            None if self.token_ids is None else self.token_ids[rows],
        )

    def tokenize(self, vectorizer):
        """Sets `token_ids`; an image without captions has one empty text. Without a
        vectorizer there is nothing to be read."""
        groups = [(texts or [""])[:MAX_CAPTIONS] for texts in self.texts]
        if vectorizer is None:
            self.token_ids = np.ones((len(groups), 1, 1), np.int32)
            return
        counts = np.array([len(texts) for texts in groups])
        there = np.arange(counts.max(initial=1)) < counts[:, None]
        flat = tokenize(vectorizer, [text for texts in groups for text in texts])
        self.token_ids = np.zeros((*there.shape, flat.shape[1]), np.int32)
        self.token_ids[there] = flat

    @property
    def first_texts(self):
        """Each image's first caption, `""` where it has none."""
        return [texts[0] if texts else "" for texts in self.texts]

    @property
    def has_text(self):
        """Whether each image's first caption has words, bool `(n,)`."""
        return np.array([contains_text(text) for text in self.first_texts], bool)

    def inputs(self, network):
        """What a network of `build_classifier` takes, with the first captions."""
        token_ids = self.token_ids[:, 0]
        longest = (token_ids != 0).sum(axis=1).max(initial=1)
        found = {"image": self.images, "token_ids": token_ids[:, :longest]}
        return {name: found[name] for name in network.input}


def contains_text(text):
    """Whether there is a letter or a digit in a text, as `ContainsText` says."""
    return any(character.isalnum() for character in text)


def training_batches(examples, rows, network, batch_size):
    """A `tf.data.Dataset` of `(inputs, labels)` in another order each time, each
    image once, with one of its captions.

    Args:
        examples: `Examples` with token ids and labels.
        rows: those of them that are given.
        network: its `input` says what is given.
    """
    names = set(network.input)
    with tf.device("/cpu:0"):
        images = tf.constant(examples.images) if "image" in names else None
        token_ids, labels = map(tf.constant, (examples.token_ids, examples.labels))
        rows = tf.constant(rows, tf.int32)
    captions = tf.reduce_sum(tf.cast(token_ids[..., 0] != 0, tf.int32), axis=1)
    captions = tf.cast(tf.maximum(captions, 1), tf.float32)

    def gather(rows):
        inputs = {}
        if "image" in names:
            inputs["image"] = tf.gather(images, rows)
        if "token_ids" in names:
            drawn = tf.random.uniform(tf.shape(rows)) * tf.gather(captions, rows)
            places = tf.stack([rows, tf.cast(drawn, tf.int32)], axis=-1)
            drawn = tf.gather_nd(token_ids, places)
            # Padding that all of them have is nothing to be read.
            there = tf.reduce_any(drawn != 0, axis=0)
            inputs["token_ids"] = drawn[:, : tf.reduce_sum(tf.cast(there, tf.int32))]
        return inputs, tf.gather(labels, rows)

    dataset = tf.data.Dataset.from_tensor_slices(rows).shuffle(len(rows))
    # Not in parallel: what is drawn would depend on which thread comes first.
    return dataset.batch(batch_size).map(gather).prefetch(2)
