"""Channel-wise modulation of images by a vector, as a layer."""

from typing import Any

import keras
from keras import ops

from kerasgan.layers.registration import register


@register
class Modulation(keras.layers.Layer):
    """Scales and shifts the channels of an image by factors computed from a vector.

    DF-GAN's affine block (Tao et al. 2022, https://arxiv.org/abs/2008.05865) after a
    normalization over channels (pixel norm, Karras et al. 2018,
    https://arxiv.org/abs/1710.10196). A generator with one at each size uses noise and
    caption at all sizes, not only at the smallest.

    Inputs: images `(n, height, width, channels)` and vectors `(n, d)`.
    Output: images of the same shape.

    Args:
        normalize: whether images are normalized first; not needed after another
            normalization.
    """

    def __init__(self, normalize: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.normalize = normalize

    def build(self, image_shape, vector_shape):
        """Creates the projection of the vector."""
        channels = image_shape[-1]
        self.affine = keras.layers.Dense(2 * channels, dtype=self.dtype_policy)
        self.affine.build(vector_shape)

    def call(self, image, vector):
        """Normalizes and modulates a batch."""
        if self.normalize:
            mean_square = ops.mean(ops.square(image), axis=-1, keepdims=True)
            image = image * ops.rsqrt(mean_square + 1e-4)
        scale, shift = ops.split(self.affine(vector)[:, None, None, :], 2, axis=-1)
        return image * (1 + scale) + shift

    def compute_output_shape(self, image_shape, vector_shape):
        """Returns the shape of the images."""
        return image_shape

    def get_config(self):
        """Returns the arguments of `__init__`."""
        return {**super().get_config(), "normalize": self.normalize}
