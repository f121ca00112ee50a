"""What the image encoder sees in a whole data set, computed once."""

import functools
import hashlib
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

BATCH_SIZE = 64


def encode_images(image_encoder, images, mirrored=False, dtype=np.float32):
    """The image encoder's grids of many images.

    Args:
        image_encoder: what `build_image_encoder` returns.
        images: uint8 `(n, size, size, 3)`.
        mirrored: whether left and right are exchanged first.
        dtype: of the grids; those of a data set take half the room as float16.

    Returns:
        `(n, height, width, channels)`.
    """
    look = _compiled(image_encoder)
    grids = np.empty((len(images), *image_encoder.output_shape[1:]), dtype)
    for start in range(0, len(images), BATCH_SIZE):
        batch = np.asarray(images[start : start + BATCH_SIZE], np.float32)
        grids[start : start + BATCH_SIZE] = look(
            batch[:, :, ::-1] if mirrored else batch
        )
    return grids


@functools.lru_cache(maxsize=4)
def _compiled(image_encoder):
    # Keras's `predict` would compile by XLA, which is slower on processors.
    images = tf.TensorSpec((None, *image_encoder.input_shape[1:]))
    return tf.function(
        lambda x: image_encoder(x, training=False), input_signature=[images]
    )


def cached_features(image_encoder, backbone, split, weights="imagenet", mirrored=False):
    """As `encode_images`, float16, for an image encoder that never changes: kept beside the prepared
    images, read from there as a memory map, and never seen half-written.

    Args:
        image_encoder, mirrored: see `encode_images`.
        backbone, weights: what `build_image_encoder` made it of; others have their own grids.
        split: the `Split` whose images are looked at.
    """
    name = backbone.lower()
    if weights != "imagenet":  # a file, which may change
        found = os.stat(weights)
        state = f"{os.path.abspath(weights)} {found.st_size} {found.st_mtime_ns}"
        name += f"-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
    name += "-mirrored" if mirrored else ""
    path = Path(split.path) / f"{name}-{split.name}.npy"
    if not path.is_file():
        scratch = path.with_suffix(f".{os.getpid()}.partial")
        try:
            with open(scratch, "wb") as file:
                np.save(
                    file,
                    encode_images(image_encoder, split.images, mirrored, np.float16),
                )
            os.replace(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r")


def average_pool(grids):
    """The mean over a grid's cells: `(n, channels)` float32."""
    means = [
        np.asarray(grids[start : start + BATCH_SIZE], np.float32).mean(axis=(1, 2))
        for start in range(0, len(grids), BATCH_SIZE)
    ]
    return np.concatenate(means)
