"""Channel-wise modulation of images by a vector, as a layer."""

import keras
from keras import ops

from kerasgan.layers.registration import register


@register
class Modulation(keras.layers.Layer):
    """Scales and shifts every channel of an image by what a vector says.

    DF-GAN's affine block (Tao et al. 2022, https://arxiv.org/abs/2008.05865) after a
    normalisation over channels (pixel norm, Karras et al. 2018,
    https://arxiv.org/abs/1710.10196), so that noise and caption are heard at every
    size and not at the smallest alone.

    Inputs: image `(batch, height, width, channels)` and vector `(batch, n)`.
    """

    def build(self, image_shape, vector_shape):
        channels = image_shape[-1]
        self.affine = keras.layers.Dense(2 * channels, dtype=self.dtype_policy)
        self.affine.build(vector_shape)

    def call(self, image, vector):
        mean_square = ops.mean(ops.square(image), axis=-1, keepdims=True)
        image = image * ops.rsqrt(mean_square + 1e-4)
        scale, shift = ops.split(self.affine(vector)[:, None, None, :], 2, axis=-1)
        return image * (1 + scale) + shift

    def compute_output_shape(self, image_shape, vector_shape):
        return image_shape
