"""Attention pooling over time, as a layer."""

from typing import Any

import keras
from keras import ops

from kerasgan.layers.registration import register


@register
class AttentionPooling(keras.layers.Layer):
    """A weighted mean over time, with weights from a learned query.

    Scaled dot products of the query with every time step, and a softmax over the steps
    that are not masked; masked steps get exactly zero (Vaswani et al. 2017,
    https://arxiv.org/abs/1706.03762). Paper B weighs the outputs of its LSTM this way.

    Input: `(n, time, features)` with its mask. Output: `(n, features)`; with
    `return_weights=True` also the weights `(n, time)`.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        """Creates the query."""
        self.query = self.add_weight(
            name="query", shape=(input_shape[-1],), initializer="random_normal"
        )

    def call(self, inputs, mask=None, return_weights=False):
        """Pools a batch."""
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
        """Returns None: the output has no time axis."""
        return None

    def compute_output_shape(self, input_shape):
        """Returns `(n, features)`."""
        return (input_shape[0], input_shape[-1])
