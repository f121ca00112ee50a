"""Adversarial losses, as pairs `<name>_generator_loss`, `<name>_discriminator_loss`.

All adversarial losses take logits before a sigmoid: floats of any shape, such as
`(n, patches)`. `real` are D's logits for real images and `generated` its logits for
generated ones. Each returns the mean over all of them, a float scalar.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf
from keras import ops

FULL_DIVERSITY = 0.7  # of the distance between real images, where the loss is zero


def minimax_discriminator_loss(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Returns -V(D, G), paper A equations (1) and (2).

    Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661.

    Args:
        real: logits.
        generated: logits.
    """
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(generated))


def minimax_generator_loss(generated: tf.Tensor) -> tf.Tensor:
    """Returns log(1 - D(G(z))), the part of V(D, G) in paper A that depends on G.

    Args:
        generated: logits.
    """
    return -ops.mean(ops.softplus(generated))


# D has the same loss; only G's differs: Goodfellow et al. 2014, section 3.
non_saturating_discriminator_loss = minimax_discriminator_loss


def non_saturating_generator_loss(generated: tf.Tensor) -> tf.Tensor:
    """Returns -log D(G(z)), with strong gradients where D wins.

    Goodfellow et al. 2014, section 3.

    Args:
        generated: logits.
    """
    return ops.mean(ops.softplus(-generated))


def hinge_discriminator_loss(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Returns the hinge loss of D; Lim & Ye 2017, https://arxiv.org/abs/1705.02894.

    Args:
        real: logits.
        generated: logits.
    """
    return ops.mean(ops.relu(1 - real)) + ops.mean(ops.relu(1 + generated))


def hinge_generator_loss(generated: tf.Tensor) -> tf.Tensor:
    """Returns the hinge loss of G; Lim & Ye 2017, https://arxiv.org/abs/1705.02894.

    Args:
        generated: logits.
    """
    return -ops.mean(generated)


def least_squares_discriminator_loss(
    real: tf.Tensor, generated: tf.Tensor
) -> tf.Tensor:
    """Returns the least squares loss of D, with targets 1 for real and -1 otherwise.

    Mao et al. 2017, https://arxiv.org/abs/1611.04076, equation (8).

    Args:
        real: logits.
        generated: logits.
    """
    return 0.5 * (ops.mean(ops.square(real - 1)) + ops.mean(ops.square(generated + 1)))


def least_squares_generator_loss(generated: tf.Tensor) -> tf.Tensor:
    """Returns the least squares loss of G, with the target 0.

    Mao et al. 2017, https://arxiv.org/abs/1611.04076, equation (8).

    Args:
        generated: logits.
    """
    return 0.5 * ops.mean(ops.square(generated))


def wasserstein_discriminator_loss(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Returns the loss of a critic; Arjovsky et al. 2017, arxiv.org/abs/1701.07875.

    Args:
        real: critic values.
        generated: critic values.
    """
    return ops.mean(generated) - ops.mean(real)


def wasserstein_generator_loss(generated: tf.Tensor) -> tf.Tensor:
    """Returns G's loss against a critic; Arjovsky et al. 2017.

    Args:
        generated: critic values.
    """
    return -ops.mean(generated)


def relativistic_discriminator_loss(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Returns the loss of pairs: is the real image more real than the generated one?

    Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734. With R1 and R2 it
    converges locally (R3GAN, Huang et al. 2024, https://arxiv.org/abs/2501.05441).

    Args:
        real: logits.
        generated: logits, each paired with the real one in its row.
    """
    return ops.mean(ops.softplus(generated - real))


def relativistic_generator_loss(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Returns the loss of pairs of G: is the generated image more real?

    Args:
        real: logits.
        generated: logits.
    """
    return ops.mean(ops.softplus(real - generated))


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


def value_function(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Returns V(D, G) of paper A, equation (2).

    It is at most 0, and -log 4 where D cannot tell real from generated images. It reads
    logits as log-odds, which they are under `minimax` and `non-saturating`; under
    `hinge` and `least-squares` it is only a relative measure, and under `relativistic`,
    where a constant added to all logits changes nothing, it says nothing.

    Args:
        real: logits.
        generated: logits.
    """
    return -minimax_discriminator_loss(real, generated)


def wasserstein_estimate(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Returns the critic's estimate of the distance between real and generated images.

    Arjovsky et al. 2017, equation (2): 0 where the critic cannot tell them apart, with
    no upper bound. A critic's values are no log-odds, so V(D, G) does not apply.

    Args:
        real: critic values.
        generated: critic values.
    """
    return -wasserstein_discriminator_loss(real, generated)


class AdversarialLoss(NamedTuple):
    """The losses of both networks.

    Attributes:
        generator: takes logits of generated images; where the loss is relativistic,
            logits of real and of generated images.
        discriminator: takes logits of real and of generated images.
        has_gradient_everywhere: whether D's loss has a gradient at every generated
            logit.
        value: the objective that is reported, from the same two arguments.
        is_relativistic: whether generated images are compared with real ones.
    """

    generator: Callable[..., tf.Tensor]
    discriminator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    has_gradient_everywhere: bool
    value: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = value_function
    is_relativistic: bool = False

    def of_generator(self, real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
        """Returns G's loss.

        Args:
            real: D's logits for real images.
            generated: D's logits for generated images.
        """
        if self.is_relativistic:
            return self.generator(real, generated)
        return self.generator(generated)


LOSSES = {
    "minimax": AdversarialLoss(
        minimax_generator_loss, minimax_discriminator_loss, has_gradient_everywhere=True
    ),
    "non-saturating": AdversarialLoss(
        non_saturating_generator_loss,
        non_saturating_discriminator_loss,
        has_gradient_everywhere=True,
    ),
    "hinge": AdversarialLoss(
        hinge_generator_loss, hinge_discriminator_loss, has_gradient_everywhere=False
    ),
    "least-squares": AdversarialLoss(
        least_squares_generator_loss,
        least_squares_discriminator_loss,
        has_gradient_everywhere=False,
    ),
    "wasserstein-gp": AdversarialLoss(
        wasserstein_generator_loss,
        wasserstein_discriminator_loss,
        has_gradient_everywhere=True,
        value=wasserstein_estimate,
    ),
    "relativistic": AdversarialLoss(
        relativistic_generator_loss,
        relativistic_discriminator_loss,
        has_gradient_everywhere=True,
        is_relativistic=True,
    ),
}
