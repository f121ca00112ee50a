"""The generator of images."""

import keras
from keras import ops

from kerasgan.gan.gan_checks import check_image_size
from kerasgan.layers.modulation import Modulation
from kerasgan.training.replicas import num_replicas

ARCHITECTURES = ("light", "gated")
EXCITATION_DISTANCE = 3  # doublings between an image and one that weights its channels


def build_generator(
    image_size: int = 64,
    channels: int = 3,
    latent_dim: int = 100,
    min_filters: int = 16,
    max_filters: int = 128,
    text_dim: int | None = None,
    architecture: str = "light",
) -> keras.Model:
    """Builds the generator G of paper A: noise, and a caption's features, to an image.

    A dense layer makes a 4×4 image. Each block convolves it, modulates its channels by
    noise and caption (`Modulation`), and doubles it. All convolutions but the last come
    before the doubling, where they cost a quarter.

    `light` normalizes each pixel and doubles by bilinear interpolation. Transposed
    convolutions leave a checkerboard pattern (Odena et al. 2016,
    https://distill.pub/2016/deconv-checkerboard), nearest-neighbor upsampling a woven
    one. `gated` follows FastGAN (Liu et al. 2021, https://arxiv.org/abs/2101.04775):
    batch normalization, gated linear units and skip-layer excitation. It bears a
    projected discriminator, by which `light` saturates.

    Args:
        image_size: side of the images in pixels, a power of two, at least 8.
        channels: 3 for RGB, 1 for grayscale.
        latent_dim: size of the noise, drawn from a standard normal distribution.
        min_filters: channels at full size; each smaller size has twice as many, up to
            `max_filters`.
        max_filters: channels at the smallest sizes.
        text_dim: size of the caption's features; None builds G without captions.
        architecture: `"light"` or `"gated"`.

    Returns:
        A `keras.Model`: noise `(n, latent_dim)`, or `{"noise": …, "caption":
        (n, text_dim)}`, to images `(n, size, size, channels)` in [-1, 1], float32.

    Raises:
        ValueError: the image size is no power of two, or less than 8; or the
            architecture is unknown.
    """
    check_image_size(image_size)
    if architecture not in ARCHITECTURES:
        raise ValueError(
            f"architecture must be one of {', '.join(ARCHITECTURES)}."
            f" Received: {architecture!r}"
        )
    inputs, condition = _inputs_and_condition(latent_dim, text_dim)
    doublings = (image_size // 4).bit_length() - 1
    filters = [min(min_filters * 2**d, max_filters) for d in range(doublings)][::-1]
    draw = _draw_light if architecture == "light" else _draw_gated
    x = draw(condition, filters)
    x = _convolution(channels, name="to_rgb")(x)
    image = keras.layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(inputs, image, name="generator")


def _inputs_and_condition(latent_dim, text_dim):
    """The inputs, and the vector that modulates the image."""
    noise = keras.Input((latent_dim,), name="noise")
    if text_dim is None:
        return noise, noise
    caption = keras.Input((text_dim,), name="caption")
    text = keras.layers.Dense(latent_dim)(caption)
    # The same root mean square as the noise, whatever the text branch's scale.
    text = text * ops.rsqrt(ops.mean(ops.square(text), -1, keepdims=True) + 1e-6)
    condition = keras.layers.Concatenate(name="condition")([noise, text])
    return {"noise": noise, "caption": caption}, condition


def _draw_light(condition, filters):
    x = _base(condition, filters[0])
    for size in filters:
        x = _convolution(size)(x)
        x = Modulation()(x, condition)
        x = keras.layers.LeakyReLU(0.2)(x)
        x = keras.layers.UpSampling2D(interpolation="bilinear")(x)
    return keras.layers.LeakyReLU(0.2)(_convolution(filters[-1])(x))


def _draw_gated(condition, filters):
    x = _base(condition, filters[0])
    images = [x]
    for size in filters:
        x = _convolution(2 * size, use_bias=False)(x)
        # With Keras's momentum of .99 the statistics would lag behind the weights.
        x = keras.layers.BatchNormalization(
            momentum=0.9,
            center=False,
            scale=False,
            synchronized=num_replicas() > 1,  # another formula, slower on one
        )(x)
        x = Modulation(normalize=False)(x, condition)
        values, gates = ops.split(x, 2, axis=-1)
        x = keras.layers.UpSampling2D()(values * ops.sigmoid(gates))
        if len(images) >= EXCITATION_DISTANCE:
            x = _excite(x, images[-EXCITATION_DISTANCE])
        images.append(x)
    return x


def _excite(x, small):
    """Weights the channels of an image by a smaller one: skip-layer excitation."""
    pooled = keras.layers.GlobalAveragePooling2D(keepdims=True)(small)
    hidden = keras.layers.Conv2D(x.shape[-1], 1, activation="swish")(pooled)
    return x * keras.layers.Conv2D(x.shape[-1], 1, activation="sigmoid")(hidden)


def _base(condition, filters):
    """A 4×4 image."""
    x = keras.layers.Dense(4 * 4 * filters, name="base")(condition)
    return keras.layers.Reshape((4, 4, filters))(x)


def _convolution(filters, name=None, use_bias=True):
    return keras.layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=use_bias,
        kernel_initializer="he_normal",
        name=name,
    )
