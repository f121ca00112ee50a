"""The image encoder: an image to a grid of features."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from kerasgan.encoders.efficientnet_lite import (
    VARIANTS,
    efficientnet_lite,
    fold_normalization,
)
from kerasgan.encoders.keras_applications import build_application, find_application
from kerasgan.errors import UserError

BACKBONES = ("conv", *VARIANTS)
SEPARATOR = "+"  # between the names of several networks
BACKBONE_IMAGE_SIZE = 224  # pixels; EfficientNet-Lite0 was trained with it
FILTERS = (64, 128, 256)


def build_image_encoder(
    backbone: str = "conv",
    image_size: int = 64,
    weights: str | None = "imagenet",
    filters: Sequence[int] = FILTERS,
) -> keras.Model:
    """Builds an image encoder.

    `conv` is trained from scratch together with the model that uses it: a convolution
    and residual blocks (He et al. 2016, https://arxiv.org/abs/1603.05027).
    EfficientNet-Lite and the networks of `keras.applications` are frozen if they
    have weights, and trained otherwise. The features of several networks of
    EfficientNet-Lite are concatenated.

    Args:
        backbone: `"conv"`, `"efficientnet-lite0"`, `"efficientnet-lite1"`,
            `"efficientnet-lite2"`, several of these joined by a plus sign, such as
            `"efficientnet-lite0+efficientnet-lite2"`, or the name of a network of
            `keras.applications` in upper or lower case: `"MobileNetV3Small"`.
        image_size: side of the images in pixels, a multiple of 16 for `conv` and of 32
            for EfficientNet-Lite.
        weights: `"imagenet"`, or None or `"none"` for random weights; `conv` has none.
            For a network of `keras.applications` also the path of a file; see
            `build_application`.
        filters: of the residual blocks of `conv`, each of which halves the image. The
            convolution before them halves it as well, with half as many filters as the
            first block.

    Returns:
        A `keras.Model`: RGB images `(n, size, size, 3)` in [0, 255] to features
        `(n, height, width, channels)`. With the default filters of `conv`:
        `(n, size / 16, size / 16, 256)`; of EfficientNet-Lite:
        `(n, size / 32, size / 32, 1280)` for each network.

    Raises:
        UserError: the backbone is unknown, the size does not fit, or the weights are
            not installed, could not be fetched, or do not fit.
    """
    weights = None if weights == "none" else weights
    if set(split_backbone(backbone)) <= set(VARIANTS):
        return _build_pretrained_encoder(backbone, image_size, weights)
    if backbone != "conv":
        name = find_application(backbone, others=BACKBONES)
        return build_application(name, image_size, weights)
    return _build_residual_encoder(image_size, filters)


def split_backbone(backbone: str) -> list[str]:
    """Returns the names of the networks of a backbone.

    Args:
        backbone: see `build_image_encoder`.

    Raises:
        UserError: one of several is not a network of EfficientNet-Lite, or occurs
            twice.
    """
    names = backbone.split(SEPARATOR)
    is_unique = len(set(names)) == len(names)
    if len(names) > 1 and not (is_unique and set(names) <= set(VARIANTS)):
        raise UserError(
            f"Only different networks of {', '.join(VARIANTS)} can be joined by"
            f" {SEPARATOR}. Received: {backbone}"
        )
    return names


def _build_pretrained_encoder(backbone, image_size, weights):
    images = keras.Input((image_size, image_size, 3), name="image")
    grids = []
    for name in split_backbone(backbone):
        network = efficientnet_lite(name, weights, image_size)
        network = fold_normalization(network) if weights else network
        grid = keras.Model(network.input, network.output["grid"], name=name)
        grids.append(grid(images))
    features = keras.layers.Concatenate()(grids) if len(grids) > 1 else grids[0]
    encoder = keras.Model(images, features, name="image_encoder")
    encoder.trainable = weights is None
    return encoder


def _build_residual_encoder(image_size, filters):
    factor = 2 ** (1 + len(filters))
    if image_size % factor:
        raise UserError(
            f"The backbone conv needs an image size that is a multiple of {factor}."
            f" Received: data.image_size={image_size}"
        )
    images = keras.Input((image_size, image_size, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    x = _convolution(x, max(1, filters[0] // 2), 2)
    for size in filters:
        x = _residual_block(x, size)
    return keras.Model(images, keras.layers.ReLU()(x), name="image_encoder")


def _residual_block(x, filters):
    x = keras.layers.ReLU()(x)
    shortcut = keras.layers.AveragePooling2D(2)(x)
    shortcut = keras.layers.Conv2D(filters, 1, use_bias=False)(shortcut)
    x = keras.layers.ReLU()(_convolution(x, filters, 2))
    return keras.layers.Add()([_convolution(x, filters, 1), shortcut])


def _convolution(x, filters, strides):
    x = keras.layers.Conv2D(filters, 3, strides, "same", use_bias=False)(x)
    # A few thousand images make few steps an epoch. With Keras's momentum of .99 the
    # moving averages would lag by epochs, and validation would mislead early stopping.
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return keras.layers.BatchNormalization(
        momentum=0.9,
        synchronized=replicas > 1,  # another formula, slower on one
    )(x)
