"""Blur of what the discriminator sees while training begins.

A discriminator that sees fine detail wins by it before the generator can draw anything,
which then learns nothing but extreme values. Without detail it has to look at colors
and shapes first (Karras et al. 2021, https://arxiv.org/abs/2106.12423, and StyleGAN-XL,
Sauer et al. 2022, https://arxiv.org/abs/2202.00273).
"""

import math

import tensorflow as tf
from keras import ops

LEAST_SIGMA = 0.3  # pixels; less blur cannot be seen
RADIUS = 3  # standard deviations, at which the filter ends


def fading_blur(
    images: tf.Tensor, images_seen: tf.Tensor, blur: float, blur_images: float
) -> tf.Tensor:
    """Blurs images by a Gaussian filter that fades linearly.

    Args:
        images: floats `(n, size, size, channels)`.
        images_seen: number of images that training has seen, a scalar.
        blur: standard deviation at the beginning, as a share of the size.
        blur_images: thousands of images after which there is no blur.

    Returns:
        Images of the same shape and dtype.
    """
    sigma = blur * images.shape[1]
    if sigma < LEAST_SIGMA or not blur_images:
        return images
    radius = min(math.ceil(RADIUS * sigma), images.shape[1] - 1)
    faded = sigma * (1 - ops.cast(images_seen, "float32") / (1000 * blur_images))
    return ops.cond(
        faded > LEAST_SIGMA,
        lambda: gaussian_blur(images, ops.maximum(faded, LEAST_SIGMA), radius),
        lambda: images,
    )


def gaussian_blur(images: tf.Tensor, sigma: tf.Tensor, radius: int) -> tf.Tensor:
    """Blurs images, which are mirrored at their edges.

    Args:
        images: floats `(n, height, width, channels)`.
        sigma: standard deviation of the filter in pixels, a scalar.
        radius: of the filter in pixels, less than height and width.

    Returns:
        Images of the same shape and dtype.
    """
    _, height, width, channels = images.shape
    offsets = ops.arange(-radius, radius + 1, dtype="float32")
    weights = ops.exp(-0.5 * ops.square(offsets / sigma))
    weights = ops.cast(weights / ops.sum(weights), images.dtype)
    edge = [radius, radius]
    x = ops.pad(images, [[0, 0], edge, edge, [0, 0]], mode="reflect")
    # One channel at a time: on a CPU this is faster than a depthwise convolution.
    x = ops.transpose(x, (0, 3, 1, 2))
    x = ops.reshape(x, (-1, height + 2 * radius, width + 2 * radius, 1))
    x = ops.conv(x, ops.reshape(weights, (-1, 1, 1, 1)))
    x = ops.conv(x, ops.reshape(weights, (1, -1, 1, 1)))
    x = ops.reshape(x, (-1, channels, height, width))
    return ops.transpose(x, (0, 2, 3, 1))
