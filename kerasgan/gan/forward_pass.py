"""One forward pass of generator and discriminator, and the losses of both."""

from typing import NamedTuple

import keras
import tensorflow as tf
from keras import ops

from kerasgan.gan.discriminator_input import discriminator_input
from kerasgan.gan.gradient_penalties import wasserstein_gradient_penalty
from kerasgan.gan.image_generator import latent_dim_of
from kerasgan.gan.losses import AdversarialLoss
from kerasgan.gan.pair_losses import diversity_loss
from kerasgan.training.replicas import draw_rows, first_row, gather_rows


class ForwardPass(NamedTuple):
    """The losses of one batch, the generated images, and D's logits by kind of pair.

    Attributes:
        g_loss: the generator's loss, a float scalar.
        d_loss: the discriminator's loss, a float scalar.
        images: generated images `(n, size, size, channels)` in [-1, 1].
        real: D's logits `(n, patches)` for real pairs; `(n, 1)` without patches.
        generated: D's logits for generated pairs, of the same shape.
        mismatched: D's logits for real images with another image's caption, or None
            without captions.
    """

    g_loss: tf.Tensor
    d_loss: tf.Tensor
    images: tf.Tensor
    real: tf.Tensor
    generated: tf.Tensor
    mismatched: tf.Tensor | None = None

    def metrics(self, loss: AdversarialLoss) -> dict[str, tf.Tensor]:
        """Computes the values of the GAN's metrics, by name.

        Args:
            loss: one of `LOSSES`.
        """
        values = {
            "g_loss": self.g_loss,
            "d_loss": self.d_loss,
            "value": loss.value(self.real, self.generated),
            "d_real": ops.mean(ops.cast(self.real > 0, "float32")),
            "d_generated": ops.mean(ops.cast(self.generated < 0, "float32")),
        }
        if self.mismatched is not None:
            is_rejected = ops.cast(self.mismatched < 0, "float32")
            values["d_mismatched"] = ops.mean(is_rejected)
        return values


def forward_pass(
    gan: keras.Model, real: tf.Tensor, token_ids: tf.Tensor | None
) -> ForwardPass:
    """Generates a batch and passes it through D beside the real one.

    Args:
        gan: a `GAN`.
        real: images `(n, size, size, channels)` in [-1, 1].
        token_ids: their captions, int32 `(n, length)`, or None without captions.

    Returns:
        A `ForwardPass`.
    """
    if token_ids is None:
        return _unconditional(gan, real)
    discriminator, loss = gan.discriminator, gan.adversarial_loss
    count = ops.shape(real)[0]
    text_features, captions = discriminator.encode_text(token_ids, training=True)
    rows = ops.arange(count) // 2 * 2  # every other caption, twice
    # D's text branch learns from D alone.
    condition = ops.stop_gradient(ops.take(text_features, rows, axis=0))
    images = gan.generator(
        {"noise": _noise(gan, count), "caption": condition}, training=True
    )
    seen, seen_images = (discriminator_input(gan, x) for x in (real, images))
    real_logits, real_vectors = discriminator.encode_image(seen, training=True)
    logits, vectors = discriminator.encode_image(seen_images, training=True)
    match = discriminator.match
    logits = logits + match(vectors, ops.take(captions, rows, axis=0))
    # Of the batch over all replicas.
    first = first_row(count)
    all_captions, all_ids = gather_rows(captions), gather_rows(token_ids)
    neighbors = (first + ops.arange(count) - 1) % ops.shape(all_ids)[0]
    mismatched = real_logits + match(
        real_vectors, ops.take(all_captions, neighbors, axis=0)
    )
    real_logits = real_logits + match(real_vectors, captions)
    # Where the neighbor has the same caption, a generated pair replaces it.
    differs = ops.any(token_ids != ops.take(all_ids, neighbors, axis=0), axis=-1)
    mismatched = ops.where(differs[:, None], mismatched, logits)
    d_loss = 0.5 * (
        loss.discriminator(real_logits, logits)
        + loss.discriminator(real_logits, mismatched)
    )
    d_loss = d_loss + _gradient_penalty(gan, seen, seen_images, captions)
    g_loss = loss.of_generator(real_logits, logits)
    if gan.contrastive_weight:
        d_loss = d_loss + gan.contrastive_weight * discriminator.contrastive_loss(
            real_vectors, all_captions, first + ops.arange(count), all_ids
        )
        g_loss = g_loss + gan.contrastive_weight * discriminator.contrastive_loss(
            vectors, all_captions, first + rows, all_ids
        )
    if gan.diversity_weight:
        g_loss = g_loss + gan.diversity_weight * diversity_loss(
            images, real, gather_rows
        )
    return ForwardPass(g_loss, d_loss, images, real_logits, logits, mismatched)


def _unconditional(gan, real):
    images = gan.generator(_noise(gan, ops.shape(real)[0]), training=True)
    seen, seen_images = (discriminator_input(gan, x) for x in (real, images))
    real_logits, logits = (
        gan.discriminator.encode_image(x, training=True)[0] for x in (seen, seen_images)
    )
    d_loss = gan.adversarial_loss.discriminator(real_logits, logits)
    d_loss = d_loss + _gradient_penalty(gan, seen, seen_images, None)
    g_loss = gan.adversarial_loss.of_generator(real_logits, logits)
    return ForwardPass(g_loss, d_loss, images, real_logits, logits)


def _noise(gan, count):
    size = latent_dim_of(gan.generator)
    return draw_rows(
        lambda count: keras.random.normal((count, size), seed=gan.seed_generator), count
    )


def _gradient_penalty(gan, seen, seen_images, captions):
    if gan.loss_name != "wasserstein-gp":
        return 0.0
    return wasserstein_gradient_penalty(
        gan.discriminator, seen, seen_images, captions, gan.seed_generator
    )
