"""Adversarial losses, as pairs `<name>_generator_loss`, `<name>_discriminator_loss`.

Every function takes logits: `(n,)` of any float dtype, unbounded, before a sigmoid.
Each returns the mean over the batch, a float scalar. `real` are D's logits for real
images and `generated` those for generated ones.
"""

from typing import Callable, NamedTuple

from keras import ops


def minimax_discriminator_loss(real, generated):
    """-V(D, G), paper A equations (1) and (2); Goodfellow et al. 2014,
    https://arxiv.org/abs/1406.2661."""
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(generated))


def minimax_generator_loss(generated):
    """The part of V(D, G) that G can change, paper A equation (2): log(1 - D(G(z)))."""
    return -ops.mean(ops.softplus(generated))


# D plays the same game; only G's side differs: Goodfellow et al. 2014, section 3.
non_saturating_discriminator_loss = minimax_discriminator_loss


def non_saturating_generator_loss(generated):
    """-log D(G(z)): strong gradients where D wins; Goodfellow et al. 2014."""
    return ops.mean(ops.softplus(-generated))


def hinge_discriminator_loss(real, generated):
    """Lim & Ye 2017, https://arxiv.org/abs/1705.02894."""
    return ops.mean(ops.relu(1 - real)) + ops.mean(ops.relu(1 + generated))


def hinge_generator_loss(generated):
    """Lim & Ye 2017, https://arxiv.org/abs/1705.02894."""
    return -ops.mean(generated)


def least_squares_discriminator_loss(real, generated):
    """Mao et al. 2017, https://arxiv.org/abs/1611.04076, equation (8): real images
    are 1, generated ones -1."""
    return 0.5 * (ops.mean(ops.square(real - 1)) + ops.mean(ops.square(generated + 1)))


def least_squares_generator_loss(generated):
    """Mao et al. 2017, equation (8): generated images shall be 0, halfway."""
    return 0.5 * ops.mean(ops.square(generated))


def wasserstein_discriminator_loss(real, generated):
    """Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875."""
    return ops.mean(generated) - ops.mean(real)


def wasserstein_generator_loss(generated):
    """Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875."""
    return -ops.mean(generated)


def contrastive_loss(images, captions, targets, token_ids, temperature=0.1):
    """InfoNCE: each image should find its caption among all of the batch.

    van den Oord et al. 2018, https://arxiv.org/abs/1807.03748; between generated
    images and captions, XMC-GAN: Zhang et al. 2021,
    https://arxiv.org/abs/2101.04702.

    Args:
        images: vectors `(n, d)`.
        captions: vectors `(m, d)`.
        targets: for each image the row of its caption, `(n,)` int.
        token_ids: the captions `(m, length)`; one that reads the same as an image's
            own is not held against it.
        temperature: of the softmax over cosines.
    """
    images = ops.normalize(images, axis=-1)
    captions = ops.normalize(captions, axis=-1)
    logits = ops.matmul(images, ops.transpose(captions)) / temperature
    own = ops.take_along_axis(logits, targets[:, None], axis=-1)
    asked = ops.take(token_ids, targets, axis=0)
    same = ops.all(ops.equal(asked[:, None], token_ids[None]), axis=-1)
    others = ops.where(same, -1e9, logits)
    return ops.mean(
        ops.logsumexp(ops.concatenate([own, others], axis=1), axis=1) - own[:, 0]
    )


def value_function(real, generated):
    """V(D, G) of paper A, equation (2); at most 0, and -log 4 where D is at a loss.

    It reads logits as log-odds, which they are under `minimax` and `non-saturating`;
    under `hinge` and `least-squares` it is a yardstick only.
    """
    return -minimax_discriminator_loss(real, generated)


def wasserstein_estimate(real, generated):
    """The critic's estimate of the distance between real and generated images,
    Arjovsky et al. 2017, equation (2): 0 where it is at a loss, without an upper end.
    Its logits are no log-odds, so V(D, G) would say nothing."""
    return -wasserstein_discriminator_loss(real, generated)


class AdversarialLoss(NamedTuple):
    """Both sides' losses, whether D's has a slope at every generated logit, and the
    figure of how well D tells real from generated images."""

    generator: Callable
    discriminator: Callable
    never_flat: bool
    value: Callable = value_function


LOSSES = {
    "minimax": AdversarialLoss(
        minimax_generator_loss, minimax_discriminator_loss, True
    ),
    "non-saturating": AdversarialLoss(
        non_saturating_generator_loss, non_saturating_discriminator_loss, True
    ),
    "hinge": AdversarialLoss(hinge_generator_loss, hinge_discriminator_loss, False),
    "least-squares": AdversarialLoss(
        least_squares_generator_loss, least_squares_discriminator_loss, False
    ),
    "wasserstein-gp": AdversarialLoss(
        wasserstein_generator_loss,
        wasserstein_discriminator_loss,
        True,
        wasserstein_estimate,
    ),
}
