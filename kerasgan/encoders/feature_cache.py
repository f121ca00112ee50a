"""Features of whole data sets, computed once."""

import contextlib
import functools
import hashlib
import math
import os
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasgan.encoders.stored_features import Features, SelectedRows, StoredFeatures
from kerasgan.errors import JobError
from kerasgan.files import is_whole, open_partial

BATCH_SIZE = 64
SHARD_SIZE = 1024  # images whose features are in one file


def encode_images(
    image_encoder: keras.Model,
    images: np.ndarray | SelectedRows,
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
) -> StoredFeatures:
    """Computes the features of a split with a frozen encoder, or finds them on disk.

    They lie beside the prepared images, in files of `SHARD_SIZE` images. Each file is
    written completely or not at all, with a checksum; those that are missing or damaged
    are computed again. Each precision of the encoder has files of its own.

    Args:
        image_encoder: the result of `build_image_encoder`.
        backbone: the argument of `build_image_encoder`; names the folder.
        split: a `kerasgan.data.Split`.
        weights: the argument of `build_image_encoder`; each file of weights has
            features of its own.
        mirrored: whether the images are flipped horizontally first.

    Returns:
        float16 features `(n, height, width, channels)`.

    Raises:
        JobError: the disk is full, or cannot be written to.
    """
    folder = _cache_folder(image_encoder, backbone, split, weights, mirrored)
    return store_features(image_encoder, split.images, folder, mirrored)


def cached_views(
    image_encoder: keras.Model, backbone: str, split: Any
) -> list[StoredFeatures]:
    """Computes the features of a split as it is, and mirrored; see `cached_features`.

    Args:
        image_encoder: the result of `build_image_encoder`.
        backbone: the argument of `build_image_encoder`; names the folders.
        split: a `kerasgan.data.Split`.

    Raises:
        JobError: the disk has no room for both, or cannot be written to.
    """
    names = image_encoder, backbone, split, "imagenet"
    folders = [_cache_folder(*names, mirrored) for mirrored in (False, True)]
    with _explained_disk_errors(folders[0]):
        _check_disk_space(folders, (len(split.images), *image_encoder.output_shape[1:]))
    return [
        store_features(image_encoder, split.images, folder, mirrored)
        for folder, mirrored in zip(folders, (False, True), strict=True)
    ]


def store_features(
    image_encoder: keras.Model, images: Any, folder: Path, mirrored: bool = False
) -> StoredFeatures:
    """Computes the features of images, and writes those that a folder lacks.

    Args:
        image_encoder: the result of `build_image_encoder`.
        images: uint8 `(n, size, size, 3)`, in memory or on the disk.
        folder: of the features, which is made if its parent exists.
        mirrored: whether the images are flipped horizontally first.

    Returns:
        float16 features `(n, height, width, channels)`.

    Raises:
        JobError: the disk is full, or cannot be written to.
    """
    paths = _shard_paths(folder, len(images))
    shape = (len(images), *image_encoder.output_shape[1:])
    with _explained_disk_errors(folder):
        _check_disk_space([folder], shape)
        folder.mkdir(exist_ok=True)
        for number, path in enumerate(paths):
            if not is_whole(path):
                chunk = images[number * SHARD_SIZE : (number + 1) * SHARD_SIZE]
                features = encode_images(image_encoder, chunk, mirrored, np.float16)
                with open_partial(path, checksum=True) as file:
                    np.save(file, features)
    return StoredFeatures(paths, SHARD_SIZE, shape)


def _cache_folder(image_encoder, backbone, split, weights, mirrored):
    name = backbone.lower()
    if image_encoder.compute_dtype != "float32":
        name += f"-{image_encoder.compute_dtype}"
    if weights != "imagenet":  # a file, which may change
        status = os.stat(weights)
        state = f"{os.path.abspath(weights)} {status.st_size} {status.st_mtime_ns}"
        name += f"-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
    name += "-mirrored" if mirrored else ""
    return Path(split.path) / f"{name}-{split.name}"


def _shard_paths(folder, count):
    total = -(-count // SHARD_SIZE)
    return [folder / f"{number:05d}-of-{total:05d}.npy" for number in range(total)]


def _check_disk_space(folders, shape):
    """Raises an OSError before hours of computation whose result does not fit."""
    needed = 0
    for folder in folders:
        paths = _shard_paths(folder, shape[0])
        missing = sum(not path.is_file() for path in paths)
        needed += min(missing * SHARD_SIZE, shape[0]) * math.prod(shape[1:]) * 2
    free = shutil.disk_usage(folders[0].parent).free
    if needed > free:
        raise OSError(f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} are free")


@contextlib.contextmanager
def _explained_disk_errors(folder):
    try:
        yield
    except OSError as error:
        raise JobError(
            f"Could not store features of images in {folder}: {error}\nThe files that"
            " are complete are kept and used by the next attempt. Make room, or choose"
            " another directory with --data-dir DIR."
        ) from error


def average_pool(features: Features) -> np.ndarray:
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
