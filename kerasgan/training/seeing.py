"""What the eye sees in a whole data set, computed once."""

import functools
import hashlib
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

BATCH = 64


def grids_of(eye, images, mirrored=False, dtype=np.float32):
    """The eye's grids of many pictures.

    Args:
        eye: what `build_eye` returns.
        images: uint8 `(n, size, size, 3)`.
        mirrored: whether left and right are exchanged first.
        dtype: of the grids; those of a data set take half the room as float16.

    Returns:
        `(n, height, width, channels)`.
    """
    look = _compiled(eye)
    grids = np.empty((len(images), *eye.output_shape[1:]), dtype)
    for start in range(0, len(images), BATCH):
        batch = np.asarray(images[start : start + BATCH], np.float32)
        grids[start : start + BATCH] = look(batch[:, :, ::-1] if mirrored else batch)
    return grids


@functools.lru_cache(maxsize=4)
def _compiled(eye):
    # Keras's `predict` would compile by XLA, which is slower on processors.
    pictures = tf.TensorSpec((None, *eye.input_shape[1:]))
    return tf.function(lambda x: eye(x, training=False), input_signature=[pictures])


def cached_grids(eye, backbone, split, weights="imagenet", mirrored=False):
    """As `grids_of`, float16, for an eye that never changes: kept beside the prepared
    pictures, read from there as a memory map, and never seen half-written.

    Args:
        eye, mirrored: see `grids_of`.
        backbone, weights: what `build_eye` made it of; others have their own grids.
        split: the `Split` whose pictures are looked at.
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
                np.save(file, grids_of(eye, split.images, mirrored, np.float16))
            os.replace(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r")


def pooled(grids):
    """The mean over a grid's cells: `(n, channels)` float32."""
    means = [
        np.asarray(grids[start : start + BATCH], np.float32).mean(axis=(1, 2))
        for start in range(0, len(grids), BATCH)
    ]
    return np.concatenate(means)
