"""The generator of images."""

import keras
from keras import ops

from kerasgan.gan.gan_checks import check_image_size
from kerasgan.layers.modulation import Modulation


def build_generator(
    image_size: int = 64,
    channels: int = 3,
    latent_dim: int = 100,
    min_filters: int = 16,
    max_filters: int = 128,
    text_dim: int | None = None,
) -> keras.Model:
    """Builds the generator G of paper A: noise, and a caption's features, to an image.

    A dense layer makes a 4×4 image. Each block convolves it, modulates its channels by
    noise and caption (`Modulation`), and doubles it by bilinear interpolation.
    Transposed convolutions leave a checkerboard pattern (Odena et al. 2016,
    https://distill.pub/2016/deconv-checkerboard), nearest-neighbor upsampling a woven
    one.

    Args:
        image_size: side of the images in pixels, a power of two, at least 8.
        channels: 3 for RGB, 1 for grayscale.
        latent_dim: size of the noise, drawn from a standard normal distribution.
        min_filters: channels at full size; each smaller size has twice as many, up to
            `max_filters`.
        max_filters: channels at the smallest sizes.
        text_dim: size of the caption's features; None builds G without captions.

    Returns:
        A `keras.Model`: noise `(n, latent_dim)`, or `{"noise": …, "caption":
        (n, text_dim)}`, to images `(n, size, size, channels)` in [-1, 1], float32.

    Raises:
        ValueError: the image size is no power of two, or less than 8.
    """
    check_image_size(image_size)
    noise = keras.Input((latent_dim,), name="noise")
    inputs, condition = noise, noise
    if text_dim is not None:
        caption = keras.Input((text_dim,), name="caption")
        inputs = {"noise": noise, "caption": caption}
        text = keras.layers.Dense(latent_dim)(caption)
        # The same root mean square as the noise, whatever the text branch's scale.
        text = text * ops.rsqrt(ops.mean(ops.square(text), -1, keepdims=True) + 1e-6)
        condition = keras.layers.Concatenate(name="condition")([noise, text])

    doublings = (image_size // 4).bit_length() - 1
    filters = [min(min_filters * 2**d, max_filters) for d in range(doublings)][::-1]
    x = keras.layers.Dense(4 * 4 * filters[0], name="base")(condition)
    x = keras.layers.Reshape((4, 4, filters[0]))(x)
    for size in filters:
        x = _convolution(size)(x)
        x = Modulation()(x, condition)
        x = keras.layers.LeakyReLU(0.2)(x)
        x = keras.layers.UpSampling2D(interpolation="bilinear")(x)
    x = keras.layers.LeakyReLU(0.2)(_convolution(filters[-1])(x))
    x = _convolution(channels, name="to_rgb")(x)
    image = keras.layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(inputs, image, name="generator")


def _convolution(filters, name=None):
    return keras.layers.Conv2D(
        filters, 3, padding="same", kernel_initializer="he_normal", name=name
    )
