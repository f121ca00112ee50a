"""The contrastive loss of the dual encoder."""

import numpy as np
import tensorflow as tf
from keras import ops


def pair_contrastive_loss(
    images: tf.Tensor, captions: tf.Tensor, token_ids: tf.Tensor, temperature: float
) -> tf.Tensor:
    """Computes InfoNCE over a batch in both directions, averaged over members.

    As in CLIP (Radford et al. 2021, https://arxiv.org/abs/2103.00020): each caption
    against the captions of other images, and against other images. An image may have
    several captions.

    Args:
        images: unit vectors `(n, members, dim)`.
        captions: unit vectors `(n * k, members, dim)`.
        token_ids: the captions, int32 `(n, k, length)`, all zero where an image has
            fewer. Captions equal to one of an image's own are no negatives.
        temperature: of the softmax over cosines.

    Returns:
        A float scalar.
    """
    count, num_captions, length = ops.shape(token_ids)
    images, captions = (
        ops.transpose(vectors, (1, 0, 2)) for vectors in (images, captions)
    )
    logits = ops.matmul(images, ops.transpose(captions, (0, 2, 1)))
    num_members = images.shape[0]
    shape = (num_members, count, count, num_captions)
    logits = ops.reshape(logits / temperature, shape)
    positives = ops.diagonal(logits, axis1=1, axis2=2)
    positives = ops.transpose(positives, (0, 2, 1))
    is_present = ops.cast(ops.not_equal(token_ids[..., 0], 0), "float32")
    hashes = ops.sum(token_ids * _hash_factors(length), axis=-1)
    is_equal = ops.any(ops.equal(hashes[:, :, None, None], hashes[None, None]), axis=1)
    is_own = ops.maximum(ops.eye(count)[:, :, None], ops.cast(is_equal, "float32"))
    negatives = logits - 1e9 * ops.maximum(is_own, 1 - is_present[None])
    other_captions = ops.logsumexp(negatives, axis=(2, 3))[:, :, None]
    other_images = ops.logsumexp(negatives, axis=1)
    loss = sum(
        ops.logaddexp(positives, others) - positives
        for others in (other_captions, other_images)
    )
    num_present = ops.maximum(ops.sum(is_present), 1)
    return ops.sum(loss * is_present) / num_present / (2 * num_members)


def _hash_factors(length):
    """Factors that make one number of a caption's token ids, int32 with overflow."""
    return np.array([pow(31, index, 2**31 - 1) for index in range(length)], "int32")
