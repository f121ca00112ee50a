"""Differentiable augmentation of the images that the discriminator sees.

Zhao et al. 2020, https://arxiv.org/abs/2006.10738: with few images D memorizes them. If
real and generated images are augmented alike before D sees them, it cannot, and G does
not learn the augmentations.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from kerasgan.training.replicas import draw_rows


def augment(
    images: tf.Tensor, policy: Sequence[str], seed: keras.random.SeedGenerator
) -> tf.Tensor:
    """Augments each image of a batch at random, differentiably.

    Args:
        images: `(n, size, size, channels)` in [-1, 1].
        policy: any of `"color"`, `"translation"`, `"cutout"`, applied in this order.
        seed: a `keras.random.SeedGenerator`.

    Returns:
        Images of the same shape and dtype; `color` may leave [-1, 1].
    """
    for name, augmentation in AUGMENTATIONS.items():
        if name in policy:
            images = augmentation(images, seed)
    return images


def _uniform(images, count, seed):
    def draw(rows):
        return keras.random.uniform((rows, 1, 1, 1), dtype=images.dtype, seed=seed)

    return [draw_rows(draw, ops.shape(images)[0]) for _ in range(count)]


def _color(images, seed):
    brightness, saturation, contrast = _uniform(images, 3, seed)
    images = images + (brightness - 0.5)
    gray = ops.mean(images, axis=3, keepdims=True)
    images = gray + (images - gray) * (2 * saturation)
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + (images - mean) * (contrast + 0.5)


def _translation(images, seed):
    """Moves images by up to an eighth of their side, and fills in zeros."""
    for axis in (1, 2):
        shift = draw_rows(
            lambda rows: keras.random.uniform((rows,), -1, 1, seed=seed),
            ops.shape(images)[0],
        )
        size = ops.shape(images)[axis]
        shift = ops.cast(ops.round(shift * (size / 8)), "int32")[:, None]
        source = ops.arange(size)[None, :] + shift
        inside = ops.logical_and(source >= 0, source < size)
        permutation = ops.one_hot(
            ops.where(inside, source, -1), size, dtype=images.dtype
        )
        pattern = "bij,bjwc->biwc" if axis == 1 else "bij,bhjc->bhic"
        images = ops.einsum(pattern, permutation, images)
    return images


def _cutout(images, seed):
    """Sets a square of half the side to zero, at a random place."""
    inside = True
    for axis in (1, 2):
        (center,) = _uniform(images, 1, seed)
        size = ops.shape(images)[axis]
        shape = [size if other == axis else 1 for other in range(4)]
        position = ops.reshape(ops.arange(size, dtype="float32"), shape)
        distance = ops.abs(position - ops.cast(center, "float32") * size)
        inside = ops.logical_and(inside, distance < size / 4)
    return images * ops.cast(ops.logical_not(inside), images.dtype)


AUGMENTATIONS = {"color": _color, "translation": _translation, "cutout": _cutout}
