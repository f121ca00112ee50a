"""The branch that sees: an image to a vector."""

import keras


def build_image_branch(
    image_size,
    channels=3,
    filters=(32, 64, 128, 128),
    spectral_normalization=False,
    name="image_branch",
):
    """Builds the convolutions that the discriminator looks with.

    Every convolution is 4×4 and halves the image (DCGAN, Radford et al. 2016,
    https://arxiv.org/abs/1511.06434), without batch normalisation: each image is
    judged by itself, so real and generated ones may share a batch.

    Args:
        image_size: side of the square images in pixels, a multiple of
            `2 ** len(filters)`.
        channels: 3 for RGB, 1 for grey.
        filters: output channels of each convolution.
        spectral_normalization: divides each kernel by its largest singular value
            (Miyato et al. 2018, https://arxiv.org/abs/1802.05957).

    Returns:
        A `keras.Model`: images `(batch, size, size, channels)` in [-1, 1] to
        `(batch, features)` floats.
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
