"""Adversarial losses, as pairs `<name>_generator_loss`, `<name>_discriminator_loss`.

Every function takes logits: `(n,)` of any float dtype, unbounded, before a sigmoid.
Each returns the mean over the batch, a float scalar. `real` are D's logits for real
pictures and `generated` those for generated ones.
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
    """Mao et al. 2017, https://arxiv.org/abs/1611.04076, equation (8): real pictures
    are 1, generated ones -1."""
    return 0.5 * (ops.mean(ops.square(real - 1)) + ops.mean(ops.square(generated + 1)))


def least_squares_generator_loss(generated):
    """Mao et al. 2017, equation (8): generated pictures shall be 0, halfway."""
    return 0.5 * ops.mean(ops.square(generated))


def wasserstein_discriminator_loss(real, generated):
    """Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875."""
    return ops.mean(generated) - ops.mean(real)


def wasserstein_generator_loss(generated):
    """Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875."""
    return -ops.mean(generated)


def contrastive_loss(pictures, captions, targets, token_ids, temperature=0.1):
    """InfoNCE: each picture should find its caption among all of the batch.

    van den Oord et al. 2018, https://arxiv.org/abs/1807.03748; between generated
    pictures and captions, XMC-GAN: Zhang et al. 2021,
    https://arxiv.org/abs/2101.04702.

    Args:
        pictures: vectors `(n, d)`.
        captions: vectors `(m, d)`.
        targets: for each picture the row of its caption, `(n,)` int.
        token_ids: the captions `(m, length)`; one that reads the same as a picture's
            own is not held against it.
        temperature: of the softmax over cosines.
    """
    pictures = ops.normalize(pictures, axis=-1)
    captions = ops.normalize(captions, axis=-1)
    logits = ops.matmul(pictures, ops.transpose(captions)) / temperature
    own = ops.take_along_axis(logits, targets[:, None], axis=-1)
    asked = ops.take(token_ids, targets, axis=0)
    same = ops.all(ops.equal(asked[:, None], token_ids[None]), axis=-1)
    others = ops.where(same, -1e9, logits)
    return ops.mean(
        ops.logsumexp(ops.concatenate([own, others], axis=1), axis=1) - own[:, 0]
    )


def value(real, generated):
    """V(D, G) of paper A, equation (2); at most 0, and -log 4 where D is at a loss.

    It reads logits as log-odds, which they are under `minimax` and `non-saturating`;
    under `hinge` and `least-squares` it is a yardstick only.
    """
    return -minimax_discriminator_loss(real, generated)


def wasserstein_value(real, generated):
    """The critic's estimate of the distance between real and generated pictures,
    Arjovsky et al. 2017, equation (2): 0 where it is at a loss, without an upper end.
    Its logits are no log-odds, so V(D, G) would say nothing."""
    return -wasserstein_discriminator_loss(real, generated)


class Loss(NamedTuple):
    """Both sides' losses, whether D's has a slope at every generated logit, and the
    figure of how well D tells real from generated pictures."""

    generator: Callable
    discriminator: Callable
    never_flat: bool
    value: Callable = value


LOSSES = {
    "minimax": Loss(minimax_generator_loss, minimax_discriminator_loss, True),
    "non-saturating": Loss(
        non_saturating_generator_loss, non_saturating_discriminator_loss, True
    ),
    "hinge": Loss(hinge_generator_loss, hinge_discriminator_loss, False),
    "least-squares": Loss(
        least_squares_generator_loss, least_squares_discriminator_loss, False
    ),
    "wasserstein-gp": Loss(
        wasserstein_generator_loss,
        wasserstein_discriminator_loss,
        True,
        wasserstein_value,
    ),
}
