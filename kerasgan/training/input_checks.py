"""Checks of the images and captions that users pass to the models."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def check_captions(captions: Any) -> None:
    """Rejects a single string, which would be read letter by letter.

    Args:
        captions: a list of strings.

    Raises:
        ValueError: it is one string.
    """
    if isinstance(captions, str | bytes):
        raise ValueError(f"Captions must be a list of strings. Received: {captions!r}")


def check_images(images: Any, shape: Sequence[int | None]) -> None:
    """Rejects images of another shape, and float images that are not in [0, 255].

    Args:
        images: an array `(n, height, width, channels)`, or a dataset of batches of
            images or of dicts with `"image"`. Only batches of floats are read, one of
            them.
        shape: `(height, width, channels)`; None allows any size.

    Raises:
        ValueError: the images do not fit.
    """
    spec = images
    if isinstance(images, tf.data.Dataset):
        spec = images.element_spec
        spec = spec["image"] if isinstance(spec, dict) else spec
    elif not hasattr(images, "dtype"):
        spec = images = np.asarray(images)
    found = tuple(spec.shape)
    fits = len(found) == 4 and all(
        None in (a, b) or a == b for a, b in zip(found[1:], shape, strict=True)
    )
    if not fits:
        advice = ""
        if len(found) == 4 and found[-1] == 1:
            advice = " Networks for grayscale images are built with channels=1."
        raise ValueError(
            f"Images must have shape (n, {', '.join(map(str, shape))})."
            f" Received: {found}.{advice}"
        )
    if tf.as_dtype(spec.dtype).is_floating:
        _check_range(images)


def _check_range(images):
    if isinstance(images, tf.data.Dataset):
        batch = next(iter(images.take(1)), np.zeros(1))
        images = batch["image"] if isinstance(batch, dict) else batch
    maximum = np.max(images, initial=0)
    if 0 < maximum <= 1:
        raise ValueError(
            "Images must have values in [0, 255]. Received: floats of at most"
            f" {maximum:.3g}. Multiply them by 255."
        )
