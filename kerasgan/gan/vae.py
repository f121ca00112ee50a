"""The variational autoencoder: a generator that learns by reconstructing images."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasgan.gan import gan_checks
from kerasgan.gan.generator_training import GeneratorTraining
from kerasgan.gan.image_generator import latent_dim_of, scale_images
from kerasgan.layers.registration import register
from kerasgan.layers.text_vectorization import outside_step
from kerasgan.training.replicas import draw_rows, num_replicas

METRICS = ("loss", "reconstruction_loss", "kl_loss")
COMPILE_ARGUMENTS = {"loss": "It has the loss of a VAE."}


@register
class VAE(GeneratorTraining, keras.Model):
    """Trains a generator as the decoder of a variational autoencoder.

    `fit` takes batches of images, of `(images, captions)`, or of
    `{"image": images, "token_ids": token_ids}`, as that of `GAN` does; n may be odd.

    An encoder predicts which noise draws an image, as a normal distribution, and the
    generator reconstructs the image from a sample of it (Kingma & Welling 2013,
    https://arxiv.org/abs/1312.6114). With captions both networks are conditional (Sohn
    et al. 2015, "Learning Structured Output Representation using Deep Conditional
    Generative Models"), and both losses train the text branch. The loss is the negative
    evidence lower bound but for a constant: `reconstruction_loss` plus `kl_weight`
    times `kl_loss`, the functions of this module.

    Args:
        generator: the result of `build_generator`.
        encoder: the result of `build_vae_encoder`.
        vectorizer: the result of `build_vectorizer`; needed for captions as strings.
        kl_weight: weight of the KL divergence; 1 for the evidence lower bound, more
            for noise that is used less (β-VAE, Higgins et al. 2017,
            https://openreview.net/forum?id=Sy2fzU9gl).
        ema_half_life: half-life of the generator's moving average, in thousands of
            images.
        seed: int; seeds the samples.

    Example:
        ```python
        vae = kerasgan.VAE(
            kerasgan.build_generator(image_size=32),
            kerasgan.build_vae_encoder(image_size=32),
        )
        vae.compile(keras.optimizers.Adam(1e-3))
        vae.fit(dataset, epochs=20)  # batches of images
        images = vae.generate(count=16)
        ```
    """

    networks = ("generator", "encoder", "vectorizer")
    optimizers = ("optimizer",)
    arguments = ("kl_weight", "ema_half_life", "seed")
    needs_even_batches = False

    def __init__(
        self,
        generator: keras.Model,
        encoder: keras.Model,
        vectorizer: keras.layers.Layer | None = None,
        kl_weight: float = 1.0,
        ema_half_life: float = 10.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        gan_checks.check_networks(generator, encoder, vectorizer)
        if encoder.latent_dim != latent_dim_of(generator):
            raise ValueError(
                "The encoder's latent_dim must be that of the generator. Received:"
                f" {encoder.latent_dim} and {latent_dim_of(generator)}"
            )
        self.generator, self.encoder = generator, encoder
        self.vectorizer = outside_step(vectorizer)
        self.kl_weight = kl_weight
        self.ema_half_life, self.seed = ema_half_life, seed
        self._add_training_state(METRICS)

    def call(self, batch, training=False):
        """Reconstructs a batch: images `(n, size, size, channels)` in [-1, 1]."""
        token_ids = batch["token_ids"] if self.conditional else None
        return self._reconstruct(scale_images(batch["image"]), token_ids, training)[0]

    def compile(
        self, optimizer: keras.optimizers.Optimizer | str = "adam", **kwargs: Any
    ) -> None:
        """Sets the optimizer of both networks.

        Args:
            optimizer: a Keras optimizer.
            **kwargs: of `keras.Model.compile`, such as `jit_compile`.

        Raises:
            ValueError: `loss` or `metrics` are given.
        """
        gan_checks.reject_arguments("VAE.compile", kwargs, COMPILE_ARGUMENTS)
        super().compile(optimizer=optimizer, **kwargs)
        self.optimizer.build(self._trained_variables())

    def train_step(self, data):
        """Updates both networks once."""
        images, token_ids = self._unpack(data)
        variables = self._trained_variables()
        with tf.GradientTape() as tape:
            losses = self._compute_losses(images, token_ids)
            # Replicas add up their gradients.
            share = losses["loss"] / num_replicas()
        self.optimizer.apply(tape.gradient(share, variables), variables)
        return self._end_step(images, losses)

    def _trained_variables(self):
        networks = self.generator, self.encoder
        return [v for network in networks for v in network.trainable_variables]

    def _compute_losses(self, images, token_ids):
        outputs = self._reconstruct(images, token_ids, training=True)
        reconstructions, mean, log_variance = outputs
        reconstruction = reconstruction_loss(images, reconstructions)
        kl = kl_loss(mean, log_variance)
        loss = reconstruction + self.kl_weight * kl
        return {"loss": loss, "reconstruction_loss": reconstruction, "kl_loss": kl}

    def _reconstruct(self, images, token_ids, training):
        """Images of sampled noise, and mean and log variance of that noise."""
        text = None
        if token_ids is not None:
            text = self.encoder.text_branch(token_ids, training=training)
        mean, log_variance = self.encoder.encode(images, text, training=training)
        noise = mean + ops.exp(0.5 * log_variance) * self._normal(mean)
        inputs = noise if text is None else {"noise": noise, "caption": text}
        return self.generator(inputs, training=training), mean, log_variance

    def _normal(self, like):
        count, size = ops.shape(like)
        return draw_rows(
            lambda rows: keras.random.normal((rows, size), seed=self.seed_generator),
            count,
        )


def reconstruction_loss(images: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
    """Computes half the squared error, summed over an image and averaged over images.

    But for a constant it is the negative log-likelihood, in nats an image, of a normal
    distribution with variance 1 around each value of the reconstruction.

    Args:
        images: `(n, size, size, channels)` in [-1, 1].
        reconstructions: of the same shape.

    Returns:
        A float scalar.
    """
    squares = ops.square(images - reconstructions)
    return ops.mean(0.5 * ops.sum(squares, axis=(1, 2, 3)))


def kl_loss(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """Computes the KL divergence of normal distributions from the standard one.

    Kingma & Welling 2013, appendix B.

    Args:
        mean: `(n, latent_dim)`.
        log_variance: logarithms of the variances, `(n, latent_dim)`.

    Returns:
        A float scalar in nats: summed over dimensions, averaged over the batch.
    """
    terms = ops.exp(log_variance) + ops.square(mean) - 1 - log_variance
    return ops.mean(0.5 * ops.sum(terms, axis=-1))
