"""Attention pooling over time, as a layer."""

import keras
from keras import ops

from kerasgan.layers.registration import register


@register
class AttentionPooling(keras.layers.Layer):
    """A weighted mean over time; a learned query says how much each word counts.

    Scaled dot products of the query with every time step, softmax over the words that
    are there: padding gets exactly zero (Vaswani et al. 2017,
    https://arxiv.org/abs/1706.03762; paper B weighs its LSTM's outputs this way).

    Input `(batch, time, features)` with its mask, output `(batch, features)`;
    with `return_weights`, also the weights `(batch, time)`.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.query = self.add_weight(
            name="query", shape=(input_shape[-1],), initializer="random_normal"
        )

    def call(self, inputs, mask=None, return_weights=False):
        scores = ops.matmul(inputs, self.query) / ops.sqrt(
            ops.cast(ops.shape(inputs)[-1], self.compute_dtype)
        )
        if mask is not None:
            scores = ops.where(mask, scores, ops.cast(-1e4, scores.dtype))
        weights = ops.softmax(scores, axis=-1)
        if mask is not None:
            weights = weights * ops.cast(mask, weights.dtype)
        pooled = ops.einsum("bt,btf->bf", weights, inputs)
        return (pooled, weights) if return_weights else pooled

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])
