"""Gradients of generator and discriminator for one training step."""

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import ops

from kerasgan.gan.forward_pass import ForwardPass
from kerasgan.gan.gradient_penalties import lazy_penalty
from kerasgan.training.replicas import num_replicas


def gradients_of(tape: tf.GradientTape, loss: tf.Tensor, model: keras.Model) -> list:
    """Computes a loss's gradients for the trainable variables of a model.

    Replicas of a strategy add up their gradients, so each gives its share of the mean.

    Args:
        tape: the tape that recorded the loss.
        loss: a float scalar.
        model: the model to be updated.

    Returns:
        A tensor, or None, for each trainable variable.
    """
    share = tf.constant(1 / num_replicas())
    return tape.gradient(loss, model.trainable_variables, output_gradients=share)


def one_stage_gradients(
    tape: tf.GradientTape,
    outputs: ForwardPass,
    generator: keras.Model,
    discriminator: keras.Model,
    share_backward_pass: bool,
) -> tuple[list, list]:
    """Computes D's and G's gradients from one forward pass through both networks.

    Shen et al. 2021, https://arxiv.org/abs/2103.00430: where both losses reach a
    generated image through its logit alone, the backward pass through D is the same for
    both but for a factor per image, and is computed once.

    Args:
        tape: a persistent tape that recorded the forward pass.
        outputs: its result.
        generator: G.
        discriminator: D.
        share_backward_pass: whether both losses depend on generated images through
            D's logits alone, and D's loss has a gradient at every logit.

    Returns:
        D's gradients and G's gradients.
    """
    if not share_backward_pass:
        return (
            gradients_of(tape, outputs.d_loss, discriminator),
            gradients_of(tape, outputs.g_loss, generator),
        )
    *d_gradients, image_gradients = tape.gradient(
        outputs.d_loss,
        [*discriminator.trainable_variables, outputs.images],
        output_gradients=tf.constant(1 / num_replicas()),
    )
    of_g, of_d = (
        tape.gradient(loss, outputs.generated)
        for loss in (outputs.g_loss, outputs.d_loss)
    )
    factors = ops.reshape(tf.math.divide_no_nan(of_g, of_d), (-1, 1, 1, 1))
    g_gradients = tape.gradient(
        outputs.images,
        generator.trainable_variables,
        output_gradients=image_gradients * factors,
    )
    return d_gradients, g_gradients


def add_penalties(
    gan: keras.Model,
    gradients: list,
    real: tf.Tensor,
    generated: tf.Tensor,
    token_ids: tf.Tensor | None,
) -> list:
    """Adds the gradients of R1 and R2 to D's every `gan.r1_interval` steps.

    Args:
        gan: a `GAN`.
        gradients: one for each trainable variable of D.
        real: see `lazy_penalty`.
        generated: see `lazy_penalty`.
        token_ids: see `lazy_penalty`.

    Returns:
        The gradients with those of the penalties added.
    """
    if not (gan.r1 or gan.r2):
        return gradients

    def penalty():
        return lazy_penalty(gan, real, generated, token_ids)

    arguments = gan.discriminator, gan.step, gan.r1_interval
    return add_lazily(gradients, penalty, *arguments)


def add_lazily(
    gradients: list,
    penalty: Callable[[], tf.Tensor],
    model: keras.Model,
    step: tf.Tensor,
    interval: int,
) -> list:
    """Adds the gradients of a penalty to those of a step every `interval` steps.

    Lazy regularization, Karras et al. 2020, https://arxiv.org/abs/1912.04958.

    Args:
        gradients: of the step, one for each trainable variable of `model`.
        penalty: returns the penalty, a float scalar; called only where it is due.
        model: the model to be updated.
        step: int scalar, the number of steps so far.
        interval: steps between two penalties.

    Returns:
        The gradients with those of the penalty added.
    """
    weights = model.trainable_variables

    def penalty_gradients():
        with tf.GradientTape() as tape:
            loss = penalty()
        return [
            ops.zeros_like(weight)
            if gradient is None
            else tf.convert_to_tensor(gradient)
            for gradient, weight in zip(
                gradients_of(tape, loss, model), weights, strict=True
            )
        ]

    penalties = tf.cond(
        step % interval == 0,
        penalty_gradients,
        lambda: [ops.zeros_like(weight) for weight in weights],
    )
    return [
        tf.convert_to_tensor(gradient) + extra
        for gradient, extra in zip(gradients, penalties, strict=True)
    ]
