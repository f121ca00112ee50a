"""A weighted sum of word embeddings, as a layer."""

from typing import Any

import keras
from keras import ops

from kerasgan.layers.registration import register


@register
class WeightedEmbeddingSum(keras.layers.Layer):
    """Sums the embeddings of a caption's words, each multiplied by a learned weight.

    The sum is divided by the square root of the number of words.

    Input: token ids `(n, time)`, 0 is padding. Output: floats `(n, dim)`.

    Args:
        vocabulary_size: number of token ids.
        dim: size of the embeddings.
    """

    def __init__(self, vocabulary_size: int, dim: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.dim = dim
        policy = {"dtype": self.dtype_policy}
        self.embedding = keras.layers.Embedding(vocabulary_size, dim, **policy)
        self.weight = keras.layers.Embedding(
            vocabulary_size, 1, embeddings_initializer="ones", **policy
        )

    def build(self, input_shape):
        """Builds the embeddings and the weights."""
        self.embedding.build(input_shape)
        self.weight.build(input_shape)

    def call(self, token_ids):
        """Sums the embeddings of a batch."""
        mask = ops.cast(ops.not_equal(token_ids, 0), self.compute_dtype)
        weights = ops.squeeze(self.weight(token_ids), axis=-1) * mask
        total = ops.einsum("btd,bt->bd", self.embedding(token_ids), weights)
        count = ops.maximum(ops.sum(mask, axis=1, keepdims=True), 1)
        return total * ops.rsqrt(count)

    def compute_output_shape(self, input_shape):
        """Returns `(n, dim)`."""
        return (input_shape[0], self.dim)

    def get_config(self):
        """Returns the arguments of `__init__`."""
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "dim": self.dim,
        }
