"""The captioner's decoder with an LSTM."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasgan.encoders.precision import recurrent_precision
from kerasgan.layers.registration import register


@register
class LSTMDecoder(keras.Model):
    """An LSTM that attends to the image after each word: a `CaptionDecoder`.

    The LSTM encodes the words so far. Its output is the query of dot-product attention
    (Luong et al. 2015, https://arxiv.org/abs/1508.04025) over the memory; query and
    context together give the hidden features of the next word. The context is not an
    input of the LSTM, so that in training all words of a caption are computed at once.
    The image and the noise are the initial states, two tensors `(n, dim)`.

    Args:
        dim: size of words, LSTM and attention.
    """

    def __init__(self, dim: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.dim = dim
        self.initial_state = keras.layers.Dense(
            2 * dim, activation="tanh", name="initial_state"
        )
        self.lstm = keras.layers.LSTM(
            dim, return_sequences=True, name="lstm", dtype=recurrent_precision()
        )
        self.combine = keras.layers.Dense(dim, activation="tanh", name="combine")

    def build(self, image_shape):
        """Creates the weights, for images and noise `(n, dim + noise_dim)`."""
        self.initial_state.build(image_shape)
        self.lstm.build((None, None, self.dim))
        self.combine.build((None, None, 2 * self.dim))

    def start(
        self, image: tf.Tensor, memory: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """See `CaptionDecoder.start`. The memory is not changed."""
        return memory, ops.split(self.initial_state(image), 2, axis=-1)

    def call(self, words, states, memory, training=False):
        """See `CaptionDecoder.__call__`."""
        _, count, length, _ = ops.shape(words)
        states = [ops.repeat(state, count, axis=0) for state in states]
        query = self.lstm(
            ops.reshape(words, (-1, length, self.dim)), initial_state=states
        )
        query = ops.reshape(query, (-1, count * length, self.dim))
        hidden, _ = self._attend(query, memory)
        return ops.reshape(hidden, (-1, count, length, self.dim))

    def step(
        self,
        words: tf.Tensor,
        position: int | tf.Tensor,
        states: Sequence[tf.Tensor],
        memory: tf.Tensor,
    ) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """See `CaptionDecoder.step`. The position does not matter."""
        count, dtype = words.shape[1], states[0].dtype
        states = [ops.reshape(state, (-1, self.dim)) for state in states]
        _, states = self.lstm.cell(ops.reshape(words, (-1, self.dim)), states)
        states = [
            ops.cast(ops.reshape(state, (-1, count, self.dim)), dtype)
            for state in states
        ]
        hidden, weights = self._attend(states[0], memory)
        return hidden, states, weights

    def _attend(self, query, memory):
        query = ops.cast(query, memory.dtype)
        scores = ops.matmul(query, ops.transpose(memory, (0, 2, 1)))
        weights = ops.softmax(scores / self.dim**0.5, axis=-1)
        context = ops.matmul(weights, memory)
        return self.combine(ops.concatenate([query, context], axis=-1)), weights

    def get_config(self):
        """Returns the arguments of `__init__`."""
        return {**super().get_config(), "dim": self.dim}
