"""A weighted sum of word embeddings, as a layer."""

import keras
from keras import ops

from kerasgan.layers.registration import register


@register
class WeightedEmbeddingSum(keras.layers.Layer):
    """Sums the embeddings of a caption's words, each times a learned weight.

    The sum is divided by the square root of the number of words.
    Input: token ids `(batch, time)`, 0 is padding. Output `(batch, dim)`.
    """

    def __init__(self, vocabulary_size, dim, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.dim = dim
        policy = {"dtype": self.dtype_policy}
        self.embedding = keras.layers.Embedding(vocabulary_size, dim, **policy)
        self.weight = keras.layers.Embedding(
            vocabulary_size, 1, embeddings_initializer="ones", **policy
        )

    def build(self, input_shape):
        self.embedding.build(input_shape)
        self.weight.build(input_shape)

    def call(self, token_ids):
        there = ops.cast(ops.not_equal(token_ids, 0), self.compute_dtype)
        weights = ops.squeeze(self.weight(token_ids), axis=-1) * there
        total = ops.einsum("btd,bt->bd", self.embedding(token_ids), weights)
        count = ops.maximum(ops.sum(there, axis=1, keepdims=True), 1)
        return total * ops.rsqrt(count)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.dim)

    def get_config(self):
        config = super().get_config()
        config.update(vocabulary_size=self.vocabulary_size, dim=self.dim)
        return config
