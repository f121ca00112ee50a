"""The captioner's decoder with self-attention."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasgan.layers.registration import register

NUM_BLOCKS, NUM_HEADS = 2, 4
DROPOUT = 0.1  # of what a part of a block adds


@register
class TransformerDecoder(keras.Model):
    """The decoder of a transformer: a `CaptionDecoder`.

    Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, with learned positions and
    with layer normalization before each part of a block (Xiong et al. 2020,
    https://arxiv.org/abs/2002.04745). The image as a whole and the noise are one more
    region of the image.

    The memory holds the keys and values of all blocks for the regions,
    `(n, regions + 1, 2 * blocks * heads, size)`. The states hold those of the words so
    far, two tensors a block `(n, length, heads, size)`. So their shapes do not depend
    on the position, and nothing is computed twice.

    Args:
        dim: size of words and hidden features.
        length: tokens a caption, at most.
    """

    def __init__(self, dim: int, length: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.dim, self.length = dim, length
        self.position_embedding = keras.layers.Embedding(
            length, dim, name="position_embedding"
        )
        self.image_projection = keras.layers.Dense(dim, name="image_projection")
        self.blocks = [_Block(dim, name=f"block_{n}") for n in range(NUM_BLOCKS)]
        self.normalization = keras.layers.LayerNormalization(name="normalization")

    def build(self, image_shape):
        """Creates the weights, for images and noise `(n, dim + noise_dim)`."""
        self.position_embedding.build((None,))
        self.image_projection.build(image_shape)
        for block in self.blocks:
            block.build((None, None, self.dim))
        self.normalization.build((None, None, None, self.dim))

    def start(
        self, image: tf.Tensor, memory: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """See `CaptionDecoder.start`."""
        whole = self.image_projection(image)[:, None]
        memory = ops.concatenate([memory, whole], axis=1)
        keys_and_values = [
            tensor
            for block in self.blocks
            for tensor in block.cross_attention.project(memory)
        ]
        _, _, heads, size = keys_and_values[0].shape
        shape = ops.shape(memory)[0], self.length, heads, size
        states = [ops.zeros(shape, tensor.dtype) for tensor in keys_and_values]
        return ops.concatenate(keys_and_values, axis=2), states

    def call(self, words, states, memory, training=False):
        """See `CaptionDecoder.__call__`. The states do not matter."""
        positions = ops.arange(ops.shape(words)[2])
        is_visible = positions[:, None] >= positions
        x = words + self.position_embedding(positions)
        for block, keys_and_values in self._blocks_with(memory):
            x, _, _ = block(x, keys_and_values, is_visible, training=training)
        return self.normalization(x)

    def step(
        self,
        words: tf.Tensor,
        position: int | tf.Tensor,
        states: Sequence[tf.Tensor],
        memory: tf.Tensor,
    ) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """See `CaptionDecoder.step`."""
        positions = ops.arange(self.length)
        position = ops.convert_to_tensor(position, "int32")
        x = ops.expand_dims(words + self.position_embedding(position), axis=2)
        new_states: list[tf.Tensor] = []
        for block, keys_and_values in self._blocks_with(memory):
            keys, values, *states = states
            x, written, weights = block(
                x,
                keys_and_values,
                positions <= position,
                (keys, values, positions == position),
            )
            new_states += written
        return self.normalization(x)[:, :, 0], new_states, ops.mean(weights, axis=1)

    def _blocks_with(self, memory):
        """The blocks, each with its keys and values of the regions."""
        tensors = ops.split(memory, 2 * len(self.blocks), axis=2)
        pairs = zip(tensors[::2], tensors[1::2], strict=True)
        return zip(self.blocks, pairs, strict=True)

    def get_config(self):
        """Returns the arguments of `__init__`."""
        return {**super().get_config(), "dim": self.dim, "length": self.length}


class _Block(keras.Model):
    """Self-attention, attention to the image, and a network for each word alone."""

    def __init__(self, dim, **kwargs):
        super().__init__(**kwargs)
        layers = keras.layers
        self.dim = dim
        size = max(dim // NUM_HEADS, 1)
        self.self_attention = _Attention(NUM_HEADS, size, name="self_attention")
        self.cross_attention = _Attention(NUM_HEADS, size, name="cross_attention")
        self.expand = layers.Dense(4 * dim, activation="relu", name="expand")
        self.contract = layers.Dense(dim, name="contract")
        self.self_normalization, self.cross_normalization, self.word_normalization = (
            layers.LayerNormalization(name=f"{name}_normalization")
            for name in ("self", "cross", "word")
        )
        self.dropout_layer = layers.Dropout(DROPOUT)

    def build(self, words_shape):
        """Creates the weights, for words `(n, length, dim)`."""
        self.self_attention.build(words_shape, words_shape)
        self.cross_attention.build(words_shape, words_shape)
        self.expand.build(words_shape)
        self.contract.build((*words_shape[:-1], 4 * self.dim))
        for layer in (
            self.self_normalization,
            self.cross_normalization,
            self.word_normalization,
        ):
            layer.build(words_shape)

    def call(self, x, keys_and_values, is_visible, cache=None, training=False):
        """Transforms words.

        Args:
            x: words `(n, k, t, dim)`.
            keys_and_values: of the regions, see `_Attention.project`.
            is_visible: which words a word can attend to, bool `(t, s)` or `(s,)`.
            cache: of t = 1 word: keys and values of the words before it, each
                `(n, k, s, heads, size)`, and where it is among them, bool `(s,)`.
            training: whether in training.

        Returns:
            The words, the new keys and values, and weights `(n, heads, k * t, regions)`
            of attention to the image.
        """
        _, count, length, dim = ops.shape(x)
        y = ops.reshape(self.self_normalization(x), (-1, length, dim))
        written = self.self_attention.project(y)
        if cache is not None:
            written = _write(cache, written)
        y, _ = self.self_attention.attend(y, *written, is_visible)
        x = self._add(x, y, training)
        y = ops.reshape(self.cross_normalization(x), (-1, count * length, dim))
        y, weights = self.cross_attention.attend(y, *keys_and_values)
        x = self._add(x, y, training)
        y = self.contract(self.expand(self.word_normalization(x)))
        written = [ops.reshape(w, (-1, count, *w.shape[1:])) for w in written]
        return self._add(x, y, training), written, weights

    def _add(self, x, y, training):
        y = ops.reshape(y, ops.shape(x))
        return x + self.dropout_layer(y, training=training)


class _Attention(keras.layers.MultiHeadAttention):
    """Attention to keys and values that are computed beforehand, or kept."""

    def project(self, x):
        """Keys and values of `(n, s, dim)`, each `(n, s, heads, size)`."""
        return [self.key_dense(x), self.value_dense(x)]

    def attend(self, x, keys, values, is_visible=None):
        """Attends from `(n, t, dim)`.

        Returns:
            `(n, t, dim)`, and weights `(n, heads, t, s)`.
        """
        queries = self.query_dense(x) / self.key_dim**0.5
        scores = ops.einsum("nthd,nshd->nhts", queries, keys)
        if is_visible is not None:
            scores = ops.where(is_visible, scores, ops.cast(-1e4, scores.dtype))
        weights = ops.softmax(scores, axis=-1)
        context = ops.einsum("nhts,nshd->nthd", weights, values)
        return self.output_dense(context), weights


def _write(cache, written):
    """Puts keys and values of one word among those of the words before it."""
    *earlier, is_position = cache
    shape = (-1, is_position.shape[0], *written[0].shape[2:])
    is_position = is_position[:, None, None]
    return [
        ops.where(is_position, new, ops.reshape(old, shape))
        for old, new in zip(earlier, written, strict=True)
    ]
