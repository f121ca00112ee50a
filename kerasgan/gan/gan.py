"""The GAN: generator against discriminator, paper A equations (1) and (2)."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasgan.gan import gan_checks
from kerasgan.gan.forward_pass import forward_pass
from kerasgan.gan.generator_training import GeneratorTraining
from kerasgan.gan.gradients import add_penalties, gradients_of, one_stage_gradients
from kerasgan.gan.image_generator import scale_images
from kerasgan.gan.losses import LOSSES
from kerasgan.layers.registration import register
from kerasgan.layers.text_vectorization import outside_step

METRICS = ("g_loss", "d_loss", "value", "d_real", "d_generated", "d_mismatched")
COMPILE_ARGUMENTS = {  # of Keras's `compile` that it does not have, and what to do
    "optimizer": "Pass g_optimizer and d_optimizer.",
    "loss": "Pass it to GAN(..., loss=...).",
}


@register
class GAN(GeneratorTraining, keras.Model):
    """Trains a generator against a discriminator.

    `fit` takes batches of images, of `(images, captions)`, or of
    `{"image": images, "token_ids": token_ids}`. Images are `(n, size, size, channels)`
    with values in [0, 255]; captions are strings `(n,)`, or `(n, k)`, of which one is
    drawn; token ids are int32 `(n, length)`. A discriminator without a text branch
    ignores them. With one, n must be even: an odd batch of unknown size loses its last
    image.

    With captions D tells real pairs from generated ones and from real images with
    another image's caption (GAN-CLS, Reed et al. 2016,
    https://arxiv.org/abs/1605.05396), and images and captions are contrasted over the
    batch. Generated images are pairs of one caption with different noise, so that the
    diversity loss can compare them.

    Args:
        generator: the result of `build_generator`.
        discriminator: the result of `build_discriminator`.
        vectorizer: the result of `build_vectorizer`; needed for captions as strings.
        loss: `"minimax"` (the paper's), `"non-saturating"`, `"hinge"`,
            `"least-squares"`, `"wasserstein-gp"` or `"relativistic"`.
        order: `"one-stage"` updates both networks from one forward pass;
            `"alternating"` updates D first and G against the updated D.
        r1: weight of the R1 gradient penalty on real images; 0 for none.
        r2: weight of the same penalty on generated images.
        r1_interval: steps between two penalties.
        augmentation: any of `"color"`, `"translation"`, `"cutout"`; see `augment`.
        blur: standard deviation of a Gaussian filter of what D sees, as a share of the
            size; it fades during the first `blur_images` thousand images.
        blur_images: see `blur`.
        contrastive_weight: weight of the contrastive loss between images and captions.
        diversity_weight: weight of the diversity loss of images of one caption.
        ema_half_life: half-life of G's moving average, in thousands of images.
        seed: int; seeds noise and augmentation.

    Example:
        ```python
        gan = kerasgan.GAN(
            kerasgan.build_generator(image_size=32),
            kerasgan.build_discriminator(image_size=32),
            loss="hinge",
        )
        gan.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5))
        gan.fit(dataset, epochs=20)  # batches of images
        images = gan.generate(count=16)
        ```
    """

    networks = ("generator", "discriminator", "vectorizer")
    optimizers = ("g_optimizer", "d_optimizer")
    arguments = (
        *("order", "r1", "r2", "r1_interval", "augmentation", "blur", "blur_images"),
        *("contrastive_weight", "diversity_weight", "ema_half_life", "seed"),
    )
    needs_even_batches = True

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        vectorizer: keras.layers.Layer | None = None,
        loss: str = "non-saturating",
        order: str = "one-stage",
        r1: float = 1.0,
        r2: float = 0.0,
        r1_interval: int = 16,
        augmentation: Sequence[str] = (),
        blur: float = 0.0,
        blur_images: float = 10.0,
        contrastive_weight: float = 1.0,
        diversity_weight: float = 1.0,
        ema_half_life: float = 10.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        gan_checks.check_choices(loss, order, augmentation or ())
        gan_checks.check_networks(generator, discriminator, vectorizer)
        self.generator, self.discriminator = generator, discriminator
        self.vectorizer = outside_step(vectorizer)
        self.loss_name, self.order = loss, order
        self.r1, self.r2, self.r1_interval = r1, r2, r1_interval
        self.augmentation = tuple(augmentation or ())
        self.blur, self.blur_images = blur, blur_images
        self.contrastive_weight = contrastive_weight
        self.diversity_weight = diversity_weight
        self.ema_half_life, self.seed = ema_half_life, seed
        is_conditional = discriminator.text_branch is not None
        self._add_training_state(METRICS if is_conditional else METRICS[:-1])
        self.adversarial_loss = LOSSES[loss]
        extra_losses = self.conditional and (contrastive_weight or diversity_weight)
        has_one_logit = not (extra_losses or discriminator.has_patches)
        never_flat = self.adversarial_loss.has_gradient_everywhere
        self.shares_backward_pass = has_one_logit and never_flat

    def call(self, batch, training=False):
        """Returns D's logits `(n,)` for a batch of pairs."""
        inputs = {**batch, "image": scale_images(batch["image"])}
        return self.discriminator(inputs, training=training)

    def compile(
        self,
        g_optimizer: keras.optimizers.Optimizer | str = "adam",
        d_optimizer: keras.optimizers.Optimizer | str = "adam",
        **kwargs: Any,
    ) -> None:
        """Sets the optimizers.

        Args:
            g_optimizer: of the generator.
            d_optimizer: of the discriminator.
            **kwargs: of `keras.Model.compile`, such as `jit_compile`.

        Raises:
            ValueError: `optimizer`, `loss` or `metrics` are given.
        """
        gan_checks.reject_arguments("GAN.compile", kwargs, COMPILE_ARGUMENTS)
        super().compile(optimizer=None, **kwargs)
        self.g_optimizer = keras.optimizers.get(g_optimizer)
        self.d_optimizer = keras.optimizers.get(d_optimizer)
        self.g_optimizer.build(self.generator.trainable_variables)
        self.d_optimizer.build(self.discriminator.trainable_variables)

    def train_step(self, data):
        """Updates both networks once."""
        real, token_ids = self._unpack(data)
        one_stage = self.order == "one-stage"
        with tf.GradientTape(persistent=one_stage) as tape:
            outputs = forward_pass(self, real, token_ids)
        if one_stage:
            networks = self.generator, self.discriminator
            d_gradients, g_gradients = one_stage_gradients(
                tape, outputs, *networks, self.shares_backward_pass
            )
        else:
            d_gradients = gradients_of(tape, outputs.d_loss, self.discriminator)
        images = ops.stop_gradient(outputs.images)
        d_gradients = add_penalties(self, d_gradients, real, images, token_ids)
        self.d_optimizer.apply(d_gradients, self.discriminator.trainable_variables)
        if not one_stage:
            # TensorFlow prunes what only D's loss needs from this graph.
            with tf.GradientTape() as tape:
                g_loss = forward_pass(self, real, token_ids).g_loss
            g_gradients = gradients_of(tape, g_loss, self.generator)
        self.g_optimizer.apply(g_gradients, self.generator.trainable_variables)
        return self._end_step(real, outputs.metrics(self.adversarial_loss))

    def get_config(self):
        """Returns the arguments of `__init__`."""
        return {**super().get_config(), "loss": self.loss_name}
