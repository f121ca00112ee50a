"""Features of whole data sets, computed once."""

import functools
import hashlib
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

BATCH_SIZE = 64


def encode_images(
    image_encoder: keras.Model,
    images: np.ndarray,
    mirrored: bool = False,
    dtype: Any = np.float32,
) -> np.ndarray:
    """Computes the features of many images.

    Args:
        image_encoder: the result of `build_image_encoder`.
        images: uint8 `(n, size, size, 3)`.
        mirrored: whether the images are flipped horizontally first.
        dtype: of the features; float16 halves the memory of a data set.

    Returns:
        Features `(n, height, width, channels)`.
    """
    encode = _compiled(image_encoder)
    features = np.empty((len(images), *image_encoder.output_shape[1:]), dtype)
    for start in range(0, len(images), BATCH_SIZE):
        batch = np.asarray(images[start : start + BATCH_SIZE], np.float32)
        batch = batch[:, :, ::-1] if mirrored else batch
        features[start : start + BATCH_SIZE] = encode(batch)
    return features


@functools.lru_cache(maxsize=4)
def _compiled(image_encoder):
    # Keras's `predict` would compile with XLA, which is slower on CPUs.
    images = tf.TensorSpec((None, *image_encoder.input_shape[1:]))
    return tf.function(
        lambda x: image_encoder(x, training=False), input_signature=[images]
    )


def cached_features(
    image_encoder: keras.Model,
    backbone: str,
    split: Any,
    weights: str = "imagenet",
    mirrored: bool = False,
) -> np.ndarray:
    """Computes the features of a split with a frozen encoder, or reads them from disk.

    The features lie beside the prepared images, are written completely or not at all,
    and are read as a memory map.

    Args:
        image_encoder: the result of `build_image_encoder`.
        backbone: the argument of `build_image_encoder`; names the file.
        split: a `kerasgan.data.Split`.
        weights: the argument of `build_image_encoder`; each file of weights has
            features of its own.
        mirrored: whether the images are flipped horizontally first.

    Returns:
        float16 features `(n, height, width, channels)`.
    """
    name = backbone.lower()
    if weights != "imagenet":  # a file, which may change
        status = os.stat(weights)
        state = f"{os.path.abspath(weights)} {status.st_size} {status.st_mtime_ns}"
        name += f"-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
    name += "-mirrored" if mirrored else ""
    path = Path(split.path) / f"{name}-{split.name}.npy"
    if not path.is_file():
        features = encode_images(image_encoder, split.images, mirrored, np.float16)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        try:
            with open(partial, "wb") as file:
                np.save(file, features)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r")


def average_pool(features: np.ndarray) -> np.ndarray:
    """Averages features over the cells of their grid.

    Args:
        features: `(n, height, width, channels)`.

    Returns:
        float32 `(n, channels)`.
    """
    means = [
        np.asarray(features[start : start + BATCH_SIZE], np.float32).mean(axis=(1, 2))
        for start in range(0, len(features), BATCH_SIZE)
    ]
    return np.concatenate(means)
