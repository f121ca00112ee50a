"""Pooled features of EfficientNet-Lite, to compare images of any size."""

import functools

import keras
import numpy as np
from keras import ops

from kerasgan.encoders.efficientnet_lite import efficientnet_lite, fold_normalization
from kerasgan.encoders.precision import dtype_policy_scope

BATCH_SIZE = 64
MIN_IMAGE_SIZE = 64  # pixels; smaller images are enlarged


def pooled_features(
    images: np.ndarray, backbone: str = "efficientnet-lite0", scale: int = 1
) -> np.ndarray:
    """Computes the pooled features of images.

    Args:
        images: uint8 `(n, size, size, channels)`, RGB or grayscale.
        backbone: see `efficientnet_lite`.
        scale: factor by which images are enlarged first.

    Returns:
        float32 `(n, 1280)`.

    Raises:
        UserError: the package with the weights is not installed.
    """
    model = _model(backbone, scale, *images.shape[1:])
    return model.predict(images, batch_size=BATCH_SIZE, verbose=0)


@functools.lru_cache(maxsize=2)
def _model(backbone, scale, height, width, channels):
    size = scale * max(height, width, MIN_IMAGE_SIZE)
    size += -size % 32
    with dtype_policy_scope("float32"):  # whatever the policy of the training is
        network = fold_normalization(efficientnet_lite(backbone, image_size=size))
        images = keras.Input((height, width, channels))
        x = images if channels == 3 else ops.concatenate([images] * 3, axis=-1)
        if x.shape[1:3] != (size, size):
            x = keras.layers.Resizing(size, size)(x)
        model = keras.Model(images, network(x)["pooled"])
    model.compile(jit_compile=False)  # XLA is slower on CPUs
    return model
