"""The image branch of a projected discriminator: pretrained features, mixed at random.

Sauer et al. 2021, https://arxiv.org/abs/2111.01007: a frozen network that was trained
on ImageNet sees what is in an image. Discriminators on its features need far fewer
images than one that starts with pixels. Each attends to a part of the features only,
unless these are mixed by fixed random projections, across channels and across scales.

Convolutions that learn from pixels are beside them, for the contrastive loss: guided by
frozen features alone, images follow their captions less. Vision-aided GAN (Kumari et
al. 2022, https://arxiv.org/abs/2112.09130) also has both kinds side by side.
"""

from collections.abc import Sequence

import keras

from kerasgan.encoders.efficientnet_lite import STRIDES
from kerasgan.encoders.frozen_encoder import FrozenEncoder
from kerasgan.encoders.image_branch import build_image_branch


def build_projected_branch(
    image_size: int = 64,
    channels: int = 3,
    backbone: str = "efficientnet-lite0",
    encoder_image_size: int | None = None,
    pixel_filters: Sequence[int] | None = None,
    filters: int = 32,
    name: str = "projected_branch",
) -> keras.Model:
    """Builds the image branch of a projected discriminator.

    Args:
        image_size: side of the images in pixels.
        channels: 3 for RGB, 1 for grayscale.
        backbone: see `FrozenEncoder`.
        encoder_image_size: side in pixels to which images are resized for the frozen
            network, a multiple of 32; None for `image_size`, but at least 64.
        pixel_filters: `filters` of the `build_image_branch` that sees the image at half
            its size, so that it guides shapes and not texture; None without captions.
        filters: channels of the mixed features at stride 4; each coarser scale has
            twice as many.
        name: of the model.

    Returns:
        A `keras.Model`: images `(n, size, size, channels)` in [-1, 1] to
        `{"logits": (n, patches)}`, with captions also `"features": (n, dim)` of the
        heads and the frozen network, and `"pixel_features": (n, pixel_dim)`.

    Raises:
        ValueError: the size for the frozen network is no multiple of 32.
    """
    images = keras.Input((image_size, image_size, channels), name="image")
    size = encoder_image_size or max(image_size, 64)
    if size % 32:
        raise ValueError(
            f"encoder_image_size must be a multiple of 32. Received: {size}"
        )
    x = images
    if channels == 1:
        x = keras.layers.Concatenate()([x, x, x])
    if size != image_size:
        x = keras.layers.Resizing(size, size)(x)
    features = FrozenEncoder(backbone, name="encoder")(x)
    maps = [features[f"stride{stride}"] for stride in STRIDES.values()]
    heads = [_head(x) for x in _mix_scales(_mix_channels(maps, filters), filters)]
    logits, pooled = zip(*heads, strict=True)
    outputs = {"logits": _concatenated(logits)}
    if pixel_filters is not None:
        outputs["features"] = _concatenated([*pooled, features["pooled"]])
        pixels = build_image_branch(
            image_size // 2, channels, pixel_filters, name="pixel_branch"
        )
        outputs["pixel_features"] = pixels(keras.layers.AveragePooling2D(2)(images))
    return keras.Model(images, outputs, name=name)


def _mix_channels(maps, filters):
    """Projects the channels of each scale at random (section 3.2, CCM)."""
    return [
        _random_convolution(filters * 2**scale, 1)(x) for scale, x in enumerate(maps)
    ]


def _mix_scales(maps, filters):
    """Adds coarser scales to finer ones, like a U-Net with random weights (CSM)."""
    x, mixed = maps[-1], [maps[-1]]
    for scale in reversed(range(len(maps) - 1)):
        x = _random_convolution(filters * 2**scale, 3)(x)
        x = keras.layers.UpSampling2D(interpolation="bilinear")(x)
        x = keras.layers.Add()([x, maps[scale]])
        mixed.insert(0, x)
    return mixed


def _random_convolution(filters, size):
    """A convolution that keeps its random initial weights."""
    return keras.layers.Conv2D(
        filters,
        size,
        padding="same",
        kernel_initializer="he_normal",
        trainable=False,
    )


def _head(x):
    """Logits of the patches of one scale, and their mean features."""
    filters = min(max(x.shape[-1], 64), 256)
    while x.shape[1] > 4:
        x = _activated(x, filters, 4, strides=2)
    x = _activated(x, filters, 3)
    logits = _normalized(keras.layers.Conv2D(1, 3, padding="same"))(x)
    return keras.layers.Flatten()(logits), keras.layers.GlobalAveragePooling2D()(x)


def _concatenated(tensors):
    return keras.layers.Concatenate(dtype="float32")(list(tensors))


def _activated(x, filters, size, strides=1):
    x = _normalized(keras.layers.Conv2D(filters, size, strides, padding="same"))(x)
    return keras.layers.LeakyReLU(0.2)(x)


def _normalized(convolution):
    return keras.layers.SpectralNormalization(convolution)
