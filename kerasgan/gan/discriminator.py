"""The discriminator: is this image real, and is this its caption?"""

import keras
from keras import ops

from kerasgan.encoders.image_branch import build_image_branch
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.layers.registration import register


@register
class Discriminator(keras.Model):
    """Two branches and one head, or one branch and one head without captions.

    The head is a projection (Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637):
    how real the image looks by itself, plus the inner product of image and caption.
    Captions are compared with one pass over the image, however many they are.

    Args:
        image_branch: images `(batch, size, size, channels)` to vectors.
        text_branch: token ids `(batch, length)` to vectors, or None.
        joint_dim: size of the space where images and captions meet.
    """

    def __init__(self, image_branch, text_branch=None, joint_dim=128, **kwargs):
        super().__init__(**kwargs)
        self.image_branch = image_branch
        self.text_branch = text_branch
        self.joint_dim = joint_dim
        self.realness = keras.layers.Dense(1, dtype="float32", name="realness")
        if text_branch is not None:
            self.project_image = keras.layers.Dense(joint_dim, dtype="float32")
            self.project_caption = keras.layers.Dense(joint_dim, dtype="float32")

    def build(self, input_shape=None):
        features = self.image_branch.output_shape
        self.realness.build(features)
        if self.text_branch is not None:
            self.project_image.build(features)
            self.project_caption.build(self.text_branch.output_shape)
        self.built = True

    def encode_image(self, images, training=False):
        """Images `(n, size, size, channels)` in [-1, 1] to how real each looks
        `(n,)` and its vector `(n, joint_dim)` (None without captions)."""
        features = self.image_branch(images, training=training)
        realness = ops.squeeze(self.realness(features), axis=-1)
        vectors = None if self.text_branch is None else self.project_image(features)
        return realness, vectors

    def encode_text(self, token_ids, training=False):
        """Token ids `(n, length)` to what the generator is condition `(n, text_dim)` and
        the vectors `(n, joint_dim)` to compare with images."""
        words = self.text_branch(token_ids, training=training)
        return words, self.project_caption(words)

    def match(self, images, captions):
        """Inner products of paired vectors, scaled: `(n,)`."""
        return ops.sum(images * captions, axis=-1) / self.joint_dim**0.5

    def call(self, inputs, training=False):
        """`{"image": …, "token_ids": …}` to logits `(n,)`: real, and matching?"""
        realness, images = self.encode_image(inputs["image"], training=training)
        if self.text_branch is None:
            return realness
        _, captions = self.encode_text(inputs["token_ids"], training=training)
        return realness + self.match(images, captions)

    def get_config(self):
        config = super().get_config()
        serialize = keras.saving.serialize_keras_object
        config.update(
            image_branch=serialize(self.image_branch),
            text_branch=serialize(self.text_branch),
            joint_dim=self.joint_dim,
        )
        return config

    @classmethod
    def from_config(cls, config):
        for branch in ("image_branch", "text_branch"):
            config[branch] = keras.saving.deserialize_keras_object(config[branch])
        return cls(**config)


def build_discriminator(
    image_size=64,
    channels=3,
    min_filters=32,
    max_filters=128,
    vocabulary_size=None,
    caption_length=24,
    text_dim=128,
    text_branch="words",
    spectral_normalization=False,
):
    """Builds the discriminator D of paper A.

    Args:
        image_size: side of the images in pixels, a power of two, at least 8.
        channels: 3 for RGB, 1 for grey.
        min_filters: channels of the first convolution; each next one has twice as
            many, up to `max_filters`, until the image is 4×4.
        vocabulary_size: number of token ids; None builds D without captions.
        caption_length: tokens a caption.
        text_dim: size of the text branch's vector.
        text_branch: `"lstm-attention"` or `"words"`.
        spectral_normalization: see `build_image_branch`.

    Returns:
        A `Discriminator`: `{"image": (n, size, size, channels) in [-1, 1],
        "token_ids": (n, caption_length) int32}` to logits `(n,)`.
    """
    filters = [
        min(min_filters * 2**depth, max_filters)
        for depth in range((image_size // 4).bit_length() - 1)
    ]
    see = build_image_branch(image_size, channels, filters, spectral_normalization)
    read = None
    if vocabulary_size is not None:
        read = build_text_branch(vocabulary_size, caption_length, text_dim, text_branch)
    discriminator = Discriminator(see, read, name="discriminator")
    discriminator.build()
    return discriminator
