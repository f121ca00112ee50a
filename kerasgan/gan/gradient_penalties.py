"""Penalties on the gradient of the discriminator with respect to its images."""

import keras
import tensorflow as tf
from keras import ops

from kerasgan.gan.discriminator_input import discriminator_input
from kerasgan.training.replicas import draw_rows

WASSERSTEIN_PENALTY_WEIGHT = 10.0  # Gulrajani et al. 2017, section 4


def squared_gradient_norms(
    discriminator: keras.Model, images: tf.Tensor, captions: tf.Tensor | None = None
) -> tf.Tensor:
    """Computes the squared norm of the gradient of D's logit for each image.

    Where D has a logit for each patch, its logit is their mean.

    Args:
        discriminator: a `Discriminator`.
        images: floats `(n, size, size, channels)` in [-1, 1].
        captions: vectors `(n, spaces, joint_dim)` of the images' captions, or None.

    Returns:
        Floats `(n,)`.
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits, vectors = discriminator.encode_image(images, training=True)
        if captions is not None:
            logits = logits + discriminator.match(vectors, captions)
        logits = ops.mean(logits, axis=-1)
    # In float32: thousands of small squares would not add up in bfloat16.
    gradients = ops.cast(tape.gradient(logits, images), "float32")
    return ops.sum(ops.square(gradients), axis=(1, 2, 3))


def r1_penalty(
    discriminator: keras.Model, images: tf.Tensor, captions: tf.Tensor | None = None
) -> tf.Tensor:
    """Computes R1 on real images, or R2 on generated ones, without its weight.

    Mescheder et al. 2018, https://arxiv.org/abs/1801.04406, equations (9) and (10).
    Arguments as for `squared_gradient_norms`.

    Args:
        discriminator: a `Discriminator`.
        images: real or generated images.
        captions: their caption vectors, or None.

    Returns:
        A float scalar.
    """
    return 0.5 * ops.mean(squared_gradient_norms(discriminator, images, captions))


def lazy_penalty(
    gan: keras.Model,
    real: tf.Tensor,
    generated: tf.Tensor,
    token_ids: tf.Tensor | None,
) -> tf.Tensor:
    """Computes R1 and R2 with their weights, for a step in which they are due.

    Args:
        gan: a `GAN`.
        real: images `(n, size, size, channels)` in [-1, 1].
        generated: images of the same shape; rows 2i and 2i + 1 have the caption of the
            real row 2i.
        token_ids: captions of the real images, int32 `(n, length)`, or None.

    Returns:
        A float scalar.
    """
    captions, repeated = None, None
    if token_ids is not None:
        _, captions = gan.discriminator.encode_text(token_ids, training=True)
        repeated = ops.repeat(captions[::2], 2, axis=0)
    penalty = 0.0
    for weight, images, vectors in (
        (gan.r1, real, captions),
        (gan.r2, generated, repeated),
    ):
        if weight:
            images = discriminator_input(gan, images)
            penalty += weight * r1_penalty(gan.discriminator, images, vectors)
    return gan.r1_interval * penalty


def wasserstein_gradient_penalty(
    discriminator: keras.Model,
    real: tf.Tensor,
    generated: tf.Tensor,
    captions: tf.Tensor | None,
    seed: keras.random.SeedGenerator,
) -> tf.Tensor:
    """Computes the penalty of WGAN-GP, with its weight of 10.

    Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028: the gradient should have
    norm 1 at random points between real and generated images.

    Args:
        discriminator: a `Discriminator`.
        real: images `(n, size, size, channels)` in [-1, 1].
        generated: images of the same shape and range.
        captions: caption vectors `(n, spaces, joint_dim)`, or None.
        seed: a `keras.random.SeedGenerator`.

    Returns:
        A float scalar.
    """
    shares = draw_rows(
        lambda count: keras.random.uniform((count, 1, 1, 1), seed=seed),
        ops.shape(real)[0],
    )
    between = real + shares * (ops.stop_gradient(generated) - real)
    norms = ops.sqrt(squared_gradient_norms(discriminator, between, captions) + 1e-12)
    return WASSERSTEIN_PENALTY_WEIGHT * ops.mean(ops.square(norms - 1))
