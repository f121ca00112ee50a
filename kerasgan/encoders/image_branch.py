"""Convolutions that learn from pixels: an image to a vector."""

from collections.abc import Sequence

import keras


def build_image_branch(
    image_size: int,
    channels: int = 3,
    filters: Sequence[int] = (32, 64, 128, 128),
    spectral_normalization: bool = False,
    name: str = "image_branch",
) -> keras.Model:
    """Builds the convolutions of the discriminator.

    Every convolution is 4×4 and halves the image (DCGAN, Radford et al. 2016,
    https://arxiv.org/abs/1511.06434). There is no batch normalization, so real and
    generated images may share a batch.

    Args:
        image_size: side of the square images in pixels, a multiple of
            `2 ** len(filters)`.
        channels: 3 for RGB, 1 for grayscale.
        filters: output channels of each convolution.
        spectral_normalization: divides each kernel by its largest singular value
            (Miyato et al. 2018, https://arxiv.org/abs/1802.05957).
        name: of the model.

    Returns:
        A `keras.Model`: images `(n, size, size, channels)` in [-1, 1] to floats
        `(n, features)`.
    """
    image = keras.Input((image_size, image_size, channels), name="image")
    features = image
    for size in filters:
        convolution = keras.layers.Conv2D(
            size, 4, strides=2, padding="same", kernel_initializer="he_normal"
        )
        if spectral_normalization:
            convolution = keras.layers.SpectralNormalization(convolution)
        features = keras.layers.LeakyReLU(0.2)(convolution(features))
    return keras.Model(image, keras.layers.Flatten()(features), name=name)
