"""The discriminator: is this image real, and does the caption belong to it?"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasgan.encoders.image_branch import build_image_branch, halving_filters
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.gan.gan_checks import check_image_size
from kerasgan.gan.pair_losses import contrastive_loss, unit_vectors
from kerasgan.gan.projected_branch import build_projected_branch
from kerasgan.gan.two_branches import TwoBranches
from kerasgan.layers.registration import register

COSINE_WEIGHT = 2.0  # of image and caption, in the logits of patches
LOGIT_SPACE, CONTRASTIVE_SPACE = 0, -1  # the same one without patches


@register
class Discriminator(TwoBranches, keras.Model):
    """Two branches and a projection head, or one branch and a head without captions.

    The head is a projection (Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637):
    how real the image is by itself, plus the inner product of image and caption. Any
    number of captions is compared with one pass over the image.

    An image branch may return logits of patches instead of a vector, as that of
    `build_projected_branch` does. The head is then part of the branch, and the
    discriminator's logit is their mean.

    With patches an image and a caption are compared in two spaces: in the logits by
    features of the heads and of the frozen network, and in the contrastive loss by
    features of convolutions that learn from pixels.

    Input: `{"image": (n, size, size, channels) in [-1, 1], "token_ids": int32
    (n, length)}`. Output: logits `(n,)`, float32.

    Args:
        image_branch: images `(n, size, size, channels)` to vectors `(n, features)`, or
            to `{"logits": (n, patches), "features": (n, features), "pixel_features":
            (n, pixel_features)}`; both features may be missing without a text branch.
        text_branch: token ids `(n, length)` to vectors `(n, text_dim)`, or None.
        joint_dim: size of the spaces in which images and captions are compared.
    """

    def __init__(
        self,
        image_branch: keras.Model,
        text_branch: keras.Model | None = None,
        joint_dim: int = 128,
        **kwargs: Any,
    ):
        super().__init__(image_branch, text_branch, **kwargs)
        self.joint_dim = joint_dim
        self.has_patches = isinstance(image_branch.output, dict)
        if not self.has_patches:
            self.realness = keras.layers.Dense(1, dtype="float32", name="realness")
        if text_branch is not None:
            spaces = len(self._compared(image_branch.output))
            self.image_projections = _dense_layers(spaces, joint_dim)
            self.text_projections = _dense_layers(spaces, joint_dim)

    def build(self, input_shape=None):
        """Builds the head."""
        output = self.image_branch.output
        if not self.has_patches:
            self.realness.build(output.shape)
        if self.text_branch is not None:
            for layer, features in zip(
                self.image_projections, self._compared(output), strict=True
            ):
                layer.build(features.shape)
            for layer in self.text_projections:
                layer.build(self.text_branch.output_shape)
        self.built = True

    def encode_image(
        self, images: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Computes how real images are, and their vectors.

        Args:
            images: `(n, size, size, channels)` in [-1, 1].
            training: whether in training.

        Returns:
            Logits `(n, patches)` of the images by themselves, where a branch without
            patches has one; and vectors `(n, spaces, joint_dim)`, or None without
            captions.
        """
        outputs = self.image_branch(images, training=training)
        realness = outputs["logits"] if self.has_patches else self.realness(outputs)
        if self.text_branch is None:
            return realness, None
        pairs = zip(self.image_projections, self._compared(outputs), strict=True)
        return realness, ops.stack([layer(x) for layer, x in pairs], axis=1)

    def encode_text(
        self, token_ids: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the features and vectors of captions.

        Args:
            token_ids: int32 `(n, length)`.
            training: whether in training.

        Returns:
            Features `(n, text_dim)` that condition the generator, and vectors
            `(n, spaces, joint_dim)` to compare with images.
        """
        features = self.text_branch(token_ids, training=training)
        vectors = [layer(features) for layer in self.text_projections]
        return features, ops.stack(vectors, axis=1)

    def match(self, images: tf.Tensor, captions: tf.Tensor) -> tf.Tensor:
        """Computes scaled inner products of paired vectors in the space of the logits.

        With patches they are cosines, which are bounded. Otherwise the discriminator
        would win by the distance of generated images from their captions alone.

        Args:
            images: vectors `(n, spaces, joint_dim)`.
            captions: vectors `(n, spaces, joint_dim)`.

        Returns:
            Floats `(n, 1)`, which are added to the logits of all patches.
        """
        images, captions = images[:, LOGIT_SPACE], captions[:, LOGIT_SPACE]
        if self.has_patches:
            images, captions = unit_vectors(images), unit_vectors(captions)
            return COSINE_WEIGHT * ops.sum(images * captions, axis=-1, keepdims=True)
        return ops.sum(images * captions, axis=-1, keepdims=True) / self.joint_dim**0.5

    def contrastive_loss(
        self,
        images: tf.Tensor,
        captions: tf.Tensor,
        targets: tf.Tensor,
        token_ids: tf.Tensor,
    ) -> tf.Tensor:
        """Computes the contrastive loss of images and captions.

        Args:
            images: vectors `(n, spaces, joint_dim)`.
            captions: vectors `(m, spaces, joint_dim)`.
            targets: the row of each image's caption, int `(n,)`.
            token_ids: the captions, int32 `(m, length)`; equal ones are no negatives.

        Returns:
            A float scalar.
        """
        images, captions = images[:, CONTRASTIVE_SPACE], captions[:, CONTRASTIVE_SPACE]
        return contrastive_loss(images, captions, targets, token_ids)

    def call(self, inputs, training=False):
        """Returns logits `(n,)`: is the image real, and does the caption match?"""
        realness, images = self.encode_image(inputs["image"], training=training)
        if self.text_branch is None:
            return ops.mean(realness, axis=-1)
        _, captions = self.encode_text(inputs["token_ids"], training=training)
        return ops.mean(realness + self.match(images, captions), axis=-1)

    def _compared(self, outputs):
        """The image features of each space, among the outputs of the image branch."""
        if not self.has_patches:
            return [outputs]
        names = "features", "pixel_features"
        return [outputs[name] for name in names if name in outputs]

    def get_config(self):
        """Returns the arguments of `__init__`."""
        return {**super().get_config(), "joint_dim": self.joint_dim}


def _dense_layers(count, units):
    return [keras.layers.Dense(units, dtype="float32") for _ in range(count)]


def build_discriminator(
    image_size: int = 64,
    channels: int = 3,
    min_filters: int = 32,
    max_filters: int = 128,
    vocabulary_size: int | None = None,
    caption_length: int = 24,
    text_dim: int = 128,
    text_branch: str = "words",
    spectral_normalization: bool = False,
    backbone: str | None = None,
    encoder_image_size: int | None = None,
) -> Discriminator:
    """Builds the discriminator D of paper A.

    Args:
        image_size: side of the images in pixels, a power of two, at least 8.
        channels: 3 for RGB, 1 for grayscale.
        min_filters: channels of the first convolution; each next one has twice as
            many, up to `max_filters`, until the image is 4×4. With a backbone these
            convolutions see the image at half its size, and only with captions.
        max_filters: channels of the widest convolutions.
        vocabulary_size: number of token ids; None builds D without captions.
        caption_length: tokens a caption.
        text_dim: size of the text branch's output.
        text_branch: `"lstm-attention"` or `"words"`; see `build_text_branch`.
        spectral_normalization: see `build_image_branch`.
        backbone: None for a discriminator that learns from pixels; or the pretrained
            network on whose features a projected one is built, see
            `build_projected_branch`.
        encoder_image_size: see `build_projected_branch`.

    Returns:
        A `Discriminator`: `{"image": (n, size, size, channels) in [-1, 1],
        "token_ids": (n, caption_length) int32}` to logits `(n,)`.

    Raises:
        ValueError: the image size is no power of two, or less than 8.
        UserError: the weights of the backbone are not installed.
    """
    check_image_size(image_size)
    filters = halving_filters(image_size, min_filters, max_filters)
    if backbone is None:
        image_network = build_image_branch(
            image_size, channels, filters, spectral_normalization
        )
    else:
        sizes = encoder_image_size, None if vocabulary_size is None else filters[:-1]
        image_network = build_projected_branch(image_size, channels, backbone, *sizes)
    text_network = None
    if vocabulary_size is not None:
        text_network = build_text_branch(
            vocabulary_size, caption_length, text_dim, text_branch
        )
    discriminator = Discriminator(image_network, text_network, name="discriminator")
    discriminator.build()
    return discriminator
