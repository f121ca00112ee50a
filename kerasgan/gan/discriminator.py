"""The discriminator: is this image real, and does the caption belong to it?"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasgan.encoders.image_branch import build_image_branch
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.gan.gan_checks import check_image_size
from kerasgan.layers.registration import register


@register
class Discriminator(keras.Model):
    """Two branches and a projection head, or one branch and a head without captions.

    The head is a projection (Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637):
    how real the image is by itself, plus the inner product of image and caption. Any
    number of captions is compared with one pass over the image.

    Input: `{"image": (n, size, size, channels) in [-1, 1], "token_ids": int32
    (n, length)}`. Output: logits `(n,)`, float32.

    Args:
        image_branch: images `(n, size, size, channels)` to vectors `(n, features)`.
        text_branch: token ids `(n, length)` to vectors `(n, text_dim)`, or None.
        joint_dim: size of the space in which images and captions are compared.
    """

    def __init__(
        self,
        image_branch: keras.Model,
        text_branch: keras.Model | None = None,
        joint_dim: int = 128,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.image_branch = image_branch
        self.text_branch = text_branch
        self.joint_dim = joint_dim
        self.realness = keras.layers.Dense(1, dtype="float32", name="realness")
        if text_branch is not None:
            self.image_projection = keras.layers.Dense(joint_dim, dtype="float32")
            self.text_projection = keras.layers.Dense(joint_dim, dtype="float32")

    def build(self, input_shape=None):
        """Builds the head."""
        features = self.image_branch.output_shape
        self.realness.build(features)
        if self.text_branch is not None:
            self.image_projection.build(features)
            self.text_projection.build(self.text_branch.output_shape)
        self.built = True

    def encode_image(
        self, images: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Computes how real images are, and their vectors.

        Args:
            images: `(n, size, size, channels)` in [-1, 1].
            training: whether in training.

        Returns:
            Logits `(n,)` of the images by themselves, and vectors `(n, joint_dim)`;
            None without captions.
        """
        features = self.image_branch(images, training=training)
        realness = ops.squeeze(self.realness(features), axis=-1)
        if self.text_branch is None:
            return realness, None
        return realness, self.image_projection(features)

    def encode_text(
        self, token_ids: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the features and vectors of captions.

        Args:
            token_ids: int32 `(n, length)`.
            training: whether in training.

        Returns:
            Features `(n, text_dim)` that condition the generator, and vectors
            `(n, joint_dim)` to compare with images.
        """
        features = self.text_branch(token_ids, training=training)
        return features, self.text_projection(features)

    def match(self, images: tf.Tensor, captions: tf.Tensor) -> tf.Tensor:
        """Computes scaled inner products of paired vectors.

        Args:
            images: vectors `(n, joint_dim)`.
            captions: vectors `(n, joint_dim)`.

        Returns:
            Floats `(n,)`.
        """
        return ops.sum(images * captions, axis=-1) / self.joint_dim**0.5

    def call(self, inputs, training=False):
        """Returns logits `(n,)`: is the image real, and does the caption match?"""
        realness, images = self.encode_image(inputs["image"], training=training)
        if self.text_branch is None:
            return realness
        _, captions = self.encode_text(inputs["token_ids"], training=training)
        return realness + self.match(images, captions)

    def get_config(self):
        """Returns the arguments of `__init__`."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "image_branch": serialize(self.image_branch),
            "text_branch": serialize(self.text_branch),
            "joint_dim": self.joint_dim,
        }

    @classmethod
    def from_config(cls, config):
        """Builds a discriminator from the result of `get_config`."""
        branches = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("image_branch", "text_branch")
        }
        return cls(**{**config, **branches})


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
) -> Discriminator:
    """Builds the discriminator D of paper A.

    Args:
        image_size: side of the images in pixels, a power of two, at least 8.
        channels: 3 for RGB, 1 for grayscale.
        min_filters: channels of the first convolution; each next one has twice as
            many, up to `max_filters`, until the image is 4×4.
        max_filters: channels of the widest convolutions.
        vocabulary_size: number of token ids; None builds D without captions.
        caption_length: tokens a caption.
        text_dim: size of the text branch's output.
        text_branch: `"lstm-attention"` or `"words"`; see `build_text_branch`.
        spectral_normalization: see `build_image_branch`.

    Returns:
        A `Discriminator`: `{"image": (n, size, size, channels) in [-1, 1],
        "token_ids": (n, caption_length) int32}` to logits `(n,)`.

    Raises:
        ValueError: the image size is no power of two, or less than 8.
    """
    check_image_size(image_size)
    filters = [
        min(min_filters * 2**depth, max_filters)
        for depth in range((image_size // 4).bit_length() - 1)
    ]
    image_network = build_image_branch(
        image_size, channels, filters, spectral_normalization
    )
    text_network = None
    if vocabulary_size is not None:
        text_network = build_text_branch(
            vocabulary_size, caption_length, text_dim, text_branch
        )
    discriminator = Discriminator(image_network, text_network, name="discriminator")
    discriminator.build()
    return discriminator
