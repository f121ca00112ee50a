"""How far captions agree with an image's own, inside the graph: CIDEr-D."""

import numpy as np
import tensorflow as tf

from kerasgan.captioning.captioner import END

MAX_NGRAM = 4  # single words to groups of four
SIGMA = 6.0  # width, in words, of the penalty for another length
BUCKETS = 2**20  # groups of words whose numbers fall together share a rarity


class CiderReward:
    """CIDEr-D of token ids (Vedantam et al. 2015, https://arxiv.org/abs/1411.5726,
    section 7), groups of words weighing what the training captions make them weigh.

    All token ids are captions with their opening token, and all zero where an image
    has fewer captions than others.

    Args:
        token_ids: of the training images, `(n, k, length)`.
        vocabulary_size: number of token ids.
    """

    def __init__(self, token_ids, vocabulary_size):
        self.vocabulary_size = vocabulary_size
        images_with = np.zeros(BUCKETS)
        rows = np.arange(len(token_ids))[:, None, None]
        for order in range(MAX_NGRAM):
            groups, there = (x.numpy() for x in self._groups(token_ids, order))
            pairs = np.unique((rows * BUCKETS + groups % BUCKETS)[there])
            images_with += np.bincount(pairs % BUCKETS, minlength=BUCKETS)
        rarity = np.log(len(token_ids) / np.maximum(images_with, 1))
        self.rarity = tf.constant(rarity, tf.float32)

    def __call__(self, captions, references):
        """Scores `(n, k)` float32, 0 to 10, of captions `(n, k, length)`: the mean
        over each image's references `(n, j, length)`."""
        score = sum(self._cosine(captions, references, n) for n in range(MAX_NGRAM))
        words = [
            tf.reduce_sum(tf.cast(ids[..., 1:] != END, tf.float32), axis=-1)
            for ids in (captions, references)
        ]
        apart = words[0][:, :, None] - words[1][:, None]
        score *= tf.exp(-tf.square(apart) / (2 * SIGMA**2)) * 10 / MAX_NGRAM
        there = tf.cast(references[..., 0] != END, tf.float32)
        found = tf.reduce_sum(score * there[:, None], axis=-1)
        return found / tf.reduce_sum(there, axis=-1, keepdims=True)

    def _cosine(self, captions, references, order):
        """Clipped cosines `(n, k, j)` of the weights of groups of `order` + 1 words."""
        groups, there = self._groups(captions, order)
        others, others_there = self._groups(references, order)
        weight, norm = self._weights(groups, there)
        _, others_norm = self._weights(others, others_there)
        same = groups[:, :, None, :, None] == others[:, None, :, None]
        same &= others_there[:, None, :, None]
        count = _repeats(groups, there)[:, :, None]
        wanted = tf.reduce_sum(tf.cast(same, tf.float32), axis=-1)
        # A group that occurs `count` times is met `count` times in this sum.
        shared = tf.minimum(count, wanted) * wanted / count
        product = tf.einsum("nkjp,nkp->nkj", shared, tf.square(weight))
        return product / (norm[:, :, None] * others_norm[:, None] + 1e-9)

    def _groups(self, token_ids, order):
        """A number for the group that begins at each word, and whether one does."""
        words = tf.cast(token_ids[..., 1:], tf.int64)
        last = words.shape[-1] - order
        numbers = sum(
            words[..., place : place + last] * self.vocabulary_size**place
            for place in range(order + 1)
        )
        return numbers, words[..., order:] != END

    def _weights(self, groups, there):
        """Each group's rarity, and the caption's norm."""
        weight = tf.gather(self.rarity, groups % BUCKETS) * tf.cast(there, tf.float32)
        square = _repeats(groups, there) * tf.square(weight)
        return weight, tf.sqrt(tf.reduce_sum(square, axis=-1))


def _repeats(groups, there):
    """How often each group occurs in its caption, at least 1."""
    same = (groups[..., None] == groups[..., None, :]) & there[..., None, :]
    return tf.maximum(tf.reduce_sum(tf.cast(same, tf.float32), axis=-1), 1.0)
