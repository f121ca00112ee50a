"""The image encoder: an image to a grid of features, for matching and for captions."""

import keras

from kerasgan.encoders.efficientnet_lite import efficientnet_lite0
from kerasgan.encoders.keras_applications import build_application, find_application
from kerasgan.errors import UserError

BACKBONES = ("conv", "efficientnet-lite0")
BACKBONE_IMAGE_SIZE = 224  # pixels, what EfficientNet-Lite0 was trained with
FILTERS = (64, 128, 256)


def build_image_encoder(
    backbone="conv", image_size=64, weights="imagenet", filters=FILTERS
):
    """Builds the image encoder.

    `conv` is trained from scratch with whatever looks through it: a convolution and
    residual blocks (He et al. 2016, https://arxiv.org/abs/1603.05027), each of
    which halves the image. `efficientnet-lite0` was trained on ImageNet by others
    and stays as it is; so were the networks of `keras.applications`, which stay as
    they are with weights and are trained where they have none.

    Args:
        backbone: `"conv"`, `"efficientnet-lite0"`, or a network of
            `keras.applications` by its name, in large or small letters:
            `"MobileNetV3Small"`.
        image_size: side of the images in pixels, a multiple of 16 for `conv` and of
            32 for `efficientnet-lite0`.
        weights: `"imagenet"`, or None or `"none"` for random ones; `conv` has none.
            For a network of `keras.applications` also the path of a file
            (`build_application`).
        filters: of the residual blocks of `conv`, each of which halves the image;
            the convolution before them halves it too, with half as many as the first.

    Raises:
        UserError: an unknown backbone; the size does not suit it; the package with the
            weights of `efficientnet-lite0` is not installed; the weights of a network
            of `keras.applications` could not be fetched, or the file does not fit.

    Returns:
        A `keras.Model`: images `(n, size, size, 3)`, RGB in [0, 255], to a grid
        `(n, size / 16, size / 16, 256)` with three blocks, or `(n, size / 32,
        size / 32, 1280)`, or `(n, height, width, channels)` as the network of
        `keras.applications` has it.
    """
    weights = None if weights == "none" else weights
    if backbone == "efficientnet-lite0":
        network = efficientnet_lite0(weights, image_size)
        image_encoder = keras.Model(
            network.input, network.output["grid"], name="image_encoder"
        )
        image_encoder.trainable = False
        return image_encoder
    if backbone != "conv":
        name = find_application(backbone, others=BACKBONES)
        return build_application(name, image_size, weights)
    if image_size % 2 ** (1 + len(filters)):
        raise UserError(
            "The backbone conv looks at images whose side is a multiple of"
            f" {2 ** (1 + len(filters))}. Received: data.image_size={image_size}"
        )
    images = keras.Input((image_size, image_size, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    x = _convolution(x, max(1, filters[0] // 2), 2)
    for size in filters:
        x = _residual(x, size)
    return keras.Model(images, keras.layers.ReLU()(x), name="image_encoder")


def _residual(x, filters):
    x = keras.layers.ReLU()(x)
    short = keras.layers.AveragePooling2D(2)(x)
    short = keras.layers.Conv2D(filters, 1, use_bias=False)(short)
    x = keras.layers.ReLU()(_convolution(x, filters, 2))
    return keras.layers.Add()([_convolution(x, filters, 1), short])


def _convolution(x, filters, strides):
    x = keras.layers.Conv2D(filters, 3, strides, "same", use_bias=False)(x)
    # Data sets of a few thousand images have few steps an epoch: with Keras's .99 the
    # means would be those of epochs ago, and tell nothing about when to stop.
    return keras.layers.BatchNormalization(momentum=0.9)(x)
