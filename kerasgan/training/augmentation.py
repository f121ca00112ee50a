"""Differentiable augmentation: what D sees, of real and generated pictures alike.

Zhao et al. 2020, https://arxiv.org/abs/2006.10738: with few pictures D learns them by
heart; if it only ever sees them changed at random, and generated ones changed alike, it
cannot, and G does not learn the changes.
"""

import keras
from keras import ops


def augment(pictures, policy, seed):
    """Changes each picture of a batch at random, differentiably.

    Args:
        pictures: `(n, size, size, channels)` in [-1, 1].
        policy: any of `"colour"`, `"translation"`, `"cutout"`, applied in this order.
        seed: a `keras.random.SeedGenerator`; `ReplicaSeeds` on several devices.

    Returns:
        Pictures of the same shape and dtype; `colour` may leave [-1, 1].
    """
    for name, change in CHANGES.items():
        if name in (policy or ()):
            pictures = change(pictures, seed)
    return pictures


def _uniform(pictures, count, seed):
    shape = (ops.shape(pictures)[0], 1, 1, 1)
    return [
        keras.random.uniform(shape, dtype=pictures.dtype, seed=seed)
        for _ in range(count)
    ]


def _colour(pictures, seed):
    brightness, saturation, contrast = _uniform(pictures, 3, seed)
    pictures = pictures + (brightness - 0.5)
    grey = ops.mean(pictures, axis=3, keepdims=True)
    pictures = grey + (pictures - grey) * (2 * saturation)
    mean = ops.mean(pictures, axis=(1, 2, 3), keepdims=True)
    return mean + (pictures - mean) * (contrast + 0.5)


def _translation(pictures, seed):
    """Moves by up to an eighth of the side; what comes in from outside is grey."""
    for axis in (1, 2):
        shift = keras.random.uniform((ops.shape(pictures)[0],), -1, 1, seed=seed)
        size = ops.shape(pictures)[axis]
        shift = ops.cast(ops.round(shift * (size / 8)), "int32")[:, None]
        source = ops.arange(size)[None, :] + shift
        inside = ops.logical_and(source >= 0, source < size)
        moved = ops.one_hot(ops.where(inside, source, -1), size, dtype=pictures.dtype)
        pattern = "bij,bjwc->biwc" if axis == 1 else "bij,bhjc->bhic"
        pictures = ops.einsum(pattern, moved, pictures)
    return pictures


def _cutout(pictures, seed):
    """Greys out a square of half the side, at a random place."""
    inside = True
    for axis in (1, 2):
        (centre,) = _uniform(pictures, 1, seed)
        size = ops.shape(pictures)[axis]
        shape = [size if other == axis else 1 for other in range(4)]
        position = ops.reshape(ops.arange(size, dtype="float32"), shape)
        distance = ops.abs(position - ops.cast(centre, "float32") * size)
        inside = ops.logical_and(inside, distance < size / 4)
    return pictures * ops.cast(ops.logical_not(inside), pictures.dtype)


CHANGES = {"colour": _colour, "translation": _translation, "cutout": _cutout}
