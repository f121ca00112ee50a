"""Differentiable augmentation: what D sees, of real and generated images alike.

Zhao et al. 2020, https://arxiv.org/abs/2006.10738: with few images D learns them by
heart; if it only ever sees them changed at random, and generated ones changed alike, it
cannot, and G does not learn the changes.
"""

import keras
from keras import ops


def augment(images, policy, seed):
    """Changes each image of a batch at random, differentiably.

    Args:
        images: `(n, size, size, channels)` in [-1, 1].
        policy: any of `"colour"`, `"translation"`, `"cutout"`, applied in this order.
        seed: a `keras.random.SeedGenerator`; `ReplicaSeedGenerator` on several devices.

    Returns:
        Images of the same shape and dtype; `colour` may leave [-1, 1].
    """
    for name, change in AUGMENTATIONS.items():
        if name in (policy or ()):
            images = change(images, seed)
    return images


def _uniform(images, count, seed):
    shape = (ops.shape(images)[0], 1, 1, 1)
    return [
        keras.random.uniform(shape, dtype=images.dtype, seed=seed) for _ in range(count)
    ]


def _colour(images, seed):
    brightness, saturation, contrast = _uniform(images, 3, seed)
    images = images + (brightness - 0.5)
    grey = ops.mean(images, axis=3, keepdims=True)
    images = grey + (images - grey) * (2 * saturation)
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + (images - mean) * (contrast + 0.5)


def _translation(images, seed):
    """Moves by up to an eighth of the side; what comes in from outside is grey."""
    for axis in (1, 2):
        shift = keras.random.uniform((ops.shape(images)[0],), -1, 1, seed=seed)
        size = ops.shape(images)[axis]
        shift = ops.cast(ops.round(shift * (size / 8)), "int32")[:, None]
        source = ops.arange(size)[None, :] + shift
        inside = ops.logical_and(source >= 0, source < size)
        moved = ops.one_hot(ops.where(inside, source, -1), size, dtype=images.dtype)
        pattern = "bij,bjwc->biwc" if axis == 1 else "bij,bhjc->bhic"
        images = ops.einsum(pattern, moved, images)
    return images


def _cutout(images, seed):
    """Greys out a square of half the side, at a random place."""
    inside = True
    for axis in (1, 2):
        (centre,) = _uniform(images, 1, seed)
        size = ops.shape(images)[axis]
        shape = [size if other == axis else 1 for other in range(4)]
        position = ops.reshape(ops.arange(size, dtype="float32"), shape)
        distance = ops.abs(position - ops.cast(centre, "float32") * size)
        inside = ops.logical_and(inside, distance < size / 4)
    return images * ops.cast(ops.logical_not(inside), images.dtype)


AUGMENTATIONS = {"colour": _colour, "translation": _translation, "cutout": _cutout}
