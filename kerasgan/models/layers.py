"""Layers that Keras does not have, and how layers are found."""

import keras
from keras import ops

REGISTER = keras.saving.register_keras_serializable(package="kerasgan")


def layers_of(network, kind):
    """All layers of a kind in a network, however deep."""
    for layer in getattr(network, "layers", ()):
        if isinstance(layer, kind):
            yield layer
        yield from layers_of(layer, kind)


@REGISTER
class Modulation(keras.layers.Layer):
    """Scales and shifts every channel of a picture by what a vector says.

    DF-GAN's affine block (Tao et al. 2022, https://arxiv.org/abs/2008.05865) after a
    normalisation over channels (pixel norm, Karras et al. 2018,
    https://arxiv.org/abs/1710.10196), so that noise and caption are heard at every
    size and not at the smallest alone.

    Inputs: picture `(batch, height, width, channels)` and vector `(batch, n)`.
    """

    def build(self, picture_shape, vector_shape):
        channels = picture_shape[-1]
        self.affine = keras.layers.Dense(2 * channels, dtype=self.dtype_policy)
        self.affine.build(vector_shape)

    def call(self, picture, vector):
        mean_square = ops.mean(ops.square(picture), axis=-1, keepdims=True)
        picture = picture * ops.rsqrt(mean_square + 1e-4)
        scale, shift = ops.split(self.affine(vector)[:, None, None, :], 2, axis=-1)
        return picture * (1 + scale) + shift

    def compute_output_shape(self, picture_shape, vector_shape):
        return picture_shape


@REGISTER
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


@REGISTER
class WeightedSum(keras.layers.Layer):
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
