"""The encoder of a variational autoencoder: which noise draws this image?"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasgan.encoders.image_branch import build_image_branch, halving_filters
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.gan.gan_checks import check_image_size
from kerasgan.gan.two_branches import TwoBranches
from kerasgan.layers.registration import register

HIDDEN_UNITS = 256


@register
class VAEEncoder(TwoBranches, keras.Model):
    """Two branches, or one without captions, and a normal distribution over the noise.

    Input: `{"image": (n, size, size, channels) in [-1, 1], "token_ids": int32
    (n, length)}`. Output: `{"mean": (n, latent_dim), "log_variance":
    (n, latent_dim)}`, float32.

    Args:
        image_branch: images `(n, size, size, channels)` to vectors `(n, features)`.
        text_branch: token ids `(n, length)` to vectors `(n, text_dim)`, or None.
        latent_dim: size of the generator's noise.
    """

    def __init__(
        self,
        image_branch: keras.Model,
        text_branch: keras.Model | None = None,
        latent_dim: int = 100,
        **kwargs: Any,
    ):
        super().__init__(image_branch, text_branch, **kwargs)
        self.latent_dim = latent_dim
        self.hidden = keras.layers.Dense(HIDDEN_UNITS, activation="relu")
        self.mean = keras.layers.Dense(latent_dim, dtype="float32")
        self.log_variance = keras.layers.Dense(latent_dim, dtype="float32")

    def build(self, input_shape=None):
        """Builds the layers after the branches."""
        branches = [self.image_branch, self.text_branch]
        sizes = [branch.output_shape[-1] for branch in branches if branch is not None]
        self.hidden.build((None, sum(sizes)))
        for layer in (self.mean, self.log_variance):
            layer.build((None, HIDDEN_UNITS))
        self.built = True

    def encode(
        self, images: tf.Tensor, text: tf.Tensor | None = None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the distribution of the noise that draws each image.

        Args:
            images: `(n, size, size, channels)` in [-1, 1].
            text: the text branch's features of their captions, `(n, text_dim)`; None
                without captions.
            training: whether in training.

        Returns:
            Means and logarithms of variances, each `(n, latent_dim)`.
        """
        features = self.image_branch(images, training=training)
        if text is not None:
            features = ops.concatenate([features, text], axis=-1)
        hidden = self.hidden(features)
        return self.mean(hidden), self.log_variance(hidden)

    def call(self, inputs, training=False):
        """Returns mean and logarithm of the variance for pairs."""
        text = None
        if self.text_branch is not None:
            text = self.text_branch(inputs["token_ids"], training=training)
        mean, log_variance = self.encode(inputs["image"], text, training=training)
        return {"mean": mean, "log_variance": log_variance}

    def get_config(self):
        """Returns the arguments of `__init__`."""
        return {**super().get_config(), "latent_dim": self.latent_dim}


def build_vae_encoder(
    image_size: int = 64,
    channels: int = 3,
    latent_dim: int = 100,
    min_filters: int = 32,
    max_filters: int = 128,
    vocabulary_size: int | None = None,
    caption_length: int = 24,
    text_dim: int = 128,
    text_branch: str = "words",
) -> VAEEncoder:
    """Builds the encoder of a variational autoencoder, with a discriminator's branches.

    Args:
        image_size: side of the images in pixels, a power of two, at least 8.
        channels: 3 for RGB, 1 for grayscale.
        latent_dim: size of the generator's noise.
        min_filters: channels of the first convolution; each next one has twice as
            many, up to `max_filters`, until the image is 4×4.
        max_filters: channels of the widest convolutions.
        vocabulary_size: number of token ids; None builds the encoder without captions.
        caption_length: tokens a caption.
        text_dim: size of the text branch's output.
        text_branch: `"lstm-attention"` or `"words"`; see `build_text_branch`.

    Returns:
        A `VAEEncoder`.

    Raises:
        ValueError: the image size is no power of two, or less than 8.
    """
    check_image_size(image_size)
    filters = halving_filters(image_size, min_filters, max_filters)
    text_network = None
    if vocabulary_size is not None:
        text_network = build_text_branch(
            vocabulary_size, caption_length, text_dim, text_branch
        )
    image_network = build_image_branch(image_size, channels, filters)
    encoder = VAEEncoder(image_network, text_network, latent_dim, name="encoder")
    encoder.build()
    return encoder
