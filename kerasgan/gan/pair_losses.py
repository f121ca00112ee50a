"""Losses of images and captions, beside the adversarial ones."""

from collections.abc import Callable

import tensorflow as tf
from keras import ops

FULL_DIVERSITY = 0.7  # of the distance between real images, where the loss is zero


def contrastive_loss(
    images: tf.Tensor,
    captions: tf.Tensor,
    targets: tf.Tensor,
    token_ids: tf.Tensor,
    temperature: float = 0.1,
) -> tf.Tensor:
    """Returns InfoNCE: each image should match its caption best among the batch.

    van den Oord et al. 2018, https://arxiv.org/abs/1807.03748; between generated
    images and captions, XMC-GAN: Zhang et al. 2021, https://arxiv.org/abs/2101.04702.

    Args:
        images: vectors `(n, d)`.
        captions: vectors `(m, d)`.
        targets: the row of each image's caption, int `(n,)`.
        token_ids: the captions, int `(m, length)`; captions equal to an image's own are
            no negatives.
        temperature: of the softmax over cosines.

    Returns:
        A float scalar.
    """
    images, captions = unit_vectors(images), unit_vectors(captions)
    logits = ops.matmul(images, ops.transpose(captions)) / temperature
    positives = ops.take_along_axis(logits, targets[:, None], axis=-1)
    target_ids = ops.take(token_ids, targets, axis=0)
    is_equal = ops.all(ops.equal(target_ids[:, None], token_ids[None]), axis=-1)
    negatives = ops.where(is_equal, -1e9, logits)
    return ops.mean(
        ops.logsumexp(ops.concatenate([positives, negatives], axis=1), axis=1)
        - positives[:, 0]
    )


def unit_vectors(vectors: tf.Tensor) -> tf.Tensor:
    """Divides vectors by their norm; unlike `ops.normalize` with a gradient at zero.

    Args:
        vectors: floats `(n, d)`.

    Returns:
        Floats `(n, d)`; zero for a vector of zeros, such as that of an empty caption.
    """
    squared_norms = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(squared_norms + 1e-6)


def diversity_loss(
    generated: tf.Tensor,
    real: tf.Tensor,
    gather: Callable[[tf.Tensor], tf.Tensor] | None = None,
    full_diversity: float = FULL_DIVERSITY,
) -> tf.Tensor:
    """Returns how far generated images of one caption fall short of differing, 0 to 1.

    Rows 2i and 2i + 1 of `generated` show one caption with different noise. Their
    distance, at a quarter of the resolution so that texture does not count, is divided
    by `full_diversity` times the distance between real images of different captions
    (in the spirit of Yang et al. 2019, https://arxiv.org/abs/1901.09024).

    Args:
        generated: images `(n, size, size, channels)`, n even.
        real: images of the same shape.
        gather: concatenates the real images of all replicas; None for one replica.
        full_diversity: share of the real distance at which the loss is zero.

    Returns:
        A float scalar.
    """
    generated, real = (
        ops.average_pool(images, 4, strides=4) for images in (generated, real)
    )
    first, second = generated[::2], generated[1::2]
    real = real if gather is None else gather(real)
    distances = ops.mean(ops.abs(first - second), axis=(1, 2, 3))
    target = full_diversity * ops.mean(ops.abs(real - ops.roll(real, 1, axis=0)))
    return ops.mean(ops.relu(1 - distances / (target + 1e-6)))
