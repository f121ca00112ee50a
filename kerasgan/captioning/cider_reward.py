"""CIDEr-D of captions, inside the graph, as a reward."""

import numpy as np
import tensorflow as tf

from kerasgan.captioning.tokens import END

MAX_NGRAM = 4
SIGMA = 6.0  # width, in words, of the penalty for another length
NUM_BUCKETS = 2**20  # n-grams in the same bucket share a document frequency


class CiderReward:
    """CIDEr-D of token ids, weighted by the training captions.

    Vedantam et al. 2015, https://arxiv.org/abs/1411.5726, section 7. All token ids have
    the start token, and are all zero where an image has fewer captions.

    Args:
        token_ids: of the training images, int `(n, k, length)`.
        vocabulary_size: number of token ids.
    """

    def __init__(self, token_ids: np.ndarray, vocabulary_size: int):
        self.vocabulary_size = vocabulary_size
        document_frequency = np.zeros(NUM_BUCKETS)
        images = np.arange(len(token_ids))[:, None, None]
        for order in range(MAX_NGRAM):
            ngrams, mask = (x.numpy() for x in self._ngrams(token_ids, order))
            pairs = np.unique((images * NUM_BUCKETS + ngrams % NUM_BUCKETS)[mask])
            document_frequency += np.bincount(
                pairs % NUM_BUCKETS, minlength=NUM_BUCKETS
            )
        idf = np.log(len(token_ids) / np.maximum(document_frequency, 1))
        self.idf = tf.constant(idf, tf.float32)

    def __call__(self, captions: tf.Tensor, references: tf.Tensor) -> tf.Tensor:
        """Computes the mean score of captions over the references of their image.

        Args:
            captions: int `(n, k, length)`.
            references: int `(n, j, length)`.

        Returns:
            float32 `(n, k)`, 0 to 10.
        """
        score = sum(self._cosine(captions, references, n) for n in range(MAX_NGRAM))
        lengths = [
            tf.reduce_sum(tf.cast(ids[..., 1:] != END, tf.float32), axis=-1)
            for ids in (captions, references)
        ]
        difference = lengths[0][:, :, None] - lengths[1][:, None]
        score *= tf.exp(-tf.square(difference) / (2 * SIGMA**2)) * 10 / MAX_NGRAM
        is_present = tf.cast(references[..., 0] != END, tf.float32)
        total = tf.reduce_sum(score * is_present[:, None], axis=-1)
        return total / tf.reduce_sum(is_present, axis=-1, keepdims=True)

    def _cosine(self, captions, references, order):
        """Clipped cosines `(n, k, j)` of TF-IDF vectors of n-grams, n = `order` + 1."""
        ngrams, mask = self._ngrams(captions, order)
        other_ngrams, other_mask = self._ngrams(references, order)
        weight, norm = self._weights(ngrams, mask)
        _, other_norm = self._weights(other_ngrams, other_mask)
        is_equal = ngrams[:, :, None, :, None] == other_ngrams[:, None, :, None]
        is_equal &= other_mask[:, None, :, None]
        count = _count_ngrams(ngrams, mask)[:, :, None]
        other_count = tf.reduce_sum(tf.cast(is_equal, tf.float32), axis=-1)
        # An n-gram that occurs `count` times appears `count` times in this sum.
        shared = tf.minimum(count, other_count) * other_count / count
        product = tf.einsum("nkjp,nkp->nkj", shared, tf.square(weight))
        return product / (norm[:, :, None] * other_norm[:, None] + 1e-9)

    def _ngrams(self, token_ids, order):
        """A number for the n-gram that starts at each word, and whether it exists."""
        words = tf.cast(token_ids[..., 1:], tf.int64)
        count = words.shape[-1] - order
        ngrams = sum(
            words[..., index : index + count] * self.vocabulary_size**index
            for index in range(order + 1)
        )
        return ngrams, words[..., order:] != END

    def _weights(self, ngrams, mask):
        """The inverse document frequency of each n-gram, and the caption's norm."""
        weight = tf.gather(self.idf, ngrams % NUM_BUCKETS) * tf.cast(mask, tf.float32)
        square = _count_ngrams(ngrams, mask) * tf.square(weight)
        return weight, tf.sqrt(tf.reduce_sum(square, axis=-1))


def _count_ngrams(ngrams, mask):
    """How often each n-gram occurs in its caption, at least 1."""
    is_equal = (ngrams[..., None] == ngrams[..., None, :]) & mask[..., None, :]
    return tf.maximum(tf.reduce_sum(tf.cast(is_equal, tf.float32), axis=-1), 1.0)
