"""The game of G and D, paper A equations (1) and (2), as one Keras model."""

from typing import NamedTuple

import keras
import tensorflow as tf
from keras import ops

from kerasgan.gan.augmentation import augment
from kerasgan.gan.losses import LOSSES, contrastive_loss
from kerasgan.training.devices import ReplicaSeedGenerator

METRICS = ("g_loss", "d_loss", "value", "d_real", "d_generated", "d_mismatched")


class ForwardPass(NamedTuple):
    """What one round of the game gave: two losses, what G drew, and D's logits by kind
    of pair."""

    g_loss: tf.Tensor
    d_loss: tf.Tensor
    images: tf.Tensor
    real: tf.Tensor
    generated: tf.Tensor
    mismatched: tf.Tensor | None = None


class GAN(keras.Model):
    """Trains a generator against a discriminator.

    A batch is `{"image": uint8 (n, size, size, channels), "token_ids": int32
    (n, length)}`; without captions `token_ids` is not read. n is even.

    With captions D tells real pairs from generated ones and from real images with
    someone else's caption (GAN-CLS, Reed et al. 2016,
    https://arxiv.org/abs/1605.05396), and images and captions are contrasted over
    the batch. The second half of a generated batch repeats the captions of the first
    with other noise, so that G can be asked to tell them apart.

    Args:
        generator: what `build_generator` returns.
        discriminator: what `build_discriminator` returns.
        settings: a `kerasgan.config.settings.GanConfig`.
        batch_size: images a step, over all replicas.
        seed: seeds noise and augmentation.
    """

    def __init__(
        self, generator, discriminator, settings, batch_size=64, seed=0, **kwargs
    ):
        super().__init__(**kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.settings = settings
        self.conditional = discriminator.text_branch is not None
        self.ema_generator = keras.models.clone_model(generator)
        self.ema_generator.set_weights(generator.get_weights())
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.step = self.add_weight(
            name="step", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self.trackers = [keras.metrics.Mean(name=name) for name in METRICS]
        self.loss_functions = LOSSES[settings.loss]
        self.batch_size = batch_size
        extra = self.conditional and (
            settings.contrastive_weight or settings.diversity_weight
        )
        self.rescales = not extra and self.loss_functions.never_flat

    def build(self, input_shape=None):
        self.built = True

    def call(self, batch, training=False):
        """D's logits `(n,)` for the pairs of a batch."""
        inputs = {**batch, "image": scale_images(batch["image"])}
        return self.discriminator(inputs, training=training)

    def compile(self, g_optimizer, d_optimizer, **kwargs):
        super().compile(optimizer=None, **kwargs)
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer
        g_optimizer.build(self.generator.trainable_variables)
        d_optimizer.build(self.discriminator.trainable_variables)

    @property
    def metrics(self):
        return self.trackers

    # One step ------------------------------------------------------------------

    def train_step(self, batch):
        real = scale_images(batch["image"])
        token_ids = batch["token_ids"] if self.conditional else None
        if self.settings.order == "one-stage":
            with tf.GradientTape(persistent=True) as tape:
                game = self._play(real, token_ids)
            d_gradients, g_gradients = self._gradients_of_both(tape, game)
        else:
            with tf.GradientTape() as tape:
                game = self._play(real, token_ids)
            d_gradients = self._gradients(tape, game.d_loss, self.discriminator)
        d_gradients = self._with_r1(d_gradients, real, token_ids)
        self.d_optimizer.apply(d_gradients, self.discriminator.trainable_variables)
        if self.settings.order == "alternating":
            # What only D's loss needs is left out when the graph is built.
            with tf.GradientTape() as tape:
                g_loss = self._play(real, token_ids).g_loss
            g_gradients = self._gradients(tape, g_loss, self.generator)
        self.g_optimizer.apply(g_gradients, self.generator.trainable_variables)
        self._average()
        self.step.assign_add(1)
        return self._measure(game)

    def _play(self, real, token_ids):
        """Generates a batch and judges it beside the real one."""
        count = ops.shape(real)[0]
        words, captions, condition = None, None, None
        if self.conditional:
            words, captions = self.discriminator.encode_text(token_ids, training=True)
            condition = ops.arange(count) % (count // 2)  # each caption twice
        generated = self._generate(count, words, condition)
        see = self.discriminator.encode_image
        real_logits, real_vectors = see(self._augment(real), training=True)
        logits, vectors = see(self._augment(generated), training=True)
        if not self.conditional:
            d_loss = self.loss_functions.discriminator(real_logits, logits)
            d_loss = d_loss + self._gradient_penalty(real, generated, None)
            g_loss = self.loss_functions.generator(logits)
            return ForwardPass(g_loss, d_loss, generated, real_logits, logits)

        match = self.discriminator.match
        logits = logits + match(vectors, ops.take(captions, condition, axis=0))
        mismatched = real_logits + match(real_vectors, ops.roll(captions, 1, axis=0))
        real_logits = real_logits + match(real_vectors, captions)
        # Where the neighbour's caption reads the same, a generated pair stands in.
        differs = ops.any(token_ids != ops.roll(token_ids, 1, axis=0), axis=-1)
        mismatched = ops.where(differs, mismatched, logits)
        d_loss = 0.5 * (
            self.loss_functions.discriminator(real_logits, logits)
            + self.loss_functions.discriminator(real_logits, mismatched)
        )
        d_loss = d_loss + self._gradient_penalty(real, generated, captions)
        g_loss = self.loss_functions.generator(logits)
        if self.settings.contrastive_weight:
            rows = ops.arange(count)
            d_loss = d_loss + self.settings.contrastive_weight * contrastive_loss(
                real_vectors, captions, rows, token_ids
            )
            g_loss = g_loss + self.settings.contrastive_weight * contrastive_loss(
                vectors, captions, condition, token_ids
            )
        if self.settings.diversity_weight:
            g_loss = g_loss + self.settings.diversity_weight * diversity_loss(
                generated, real
            )
        return ForwardPass(g_loss, d_loss, generated, real_logits, logits, mismatched)

    def _generate(self, count, words, condition):
        noise = keras.random.normal(
            (count, self.settings.latent_dim), seed=self.seed_generator
        )
        if not self.conditional:
            return self.generator(noise, training=True)
        # D's text branch learns from D alone.
        caption = ops.stop_gradient(ops.take(words, condition, axis=0))
        return self.generator({"noise": noise, "caption": caption}, training=True)

    def _augment(self, images):
        return augment(images, self.settings.augmentation, self.seed_generator)

    def _gradients(self, tape, loss, network):
        # Replicas add their gradients up, so each gives its share of the mean.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        weights = network.trainable_variables
        return tape.gradient(loss, weights, output_gradients=tf.constant(1 / replicas))

    def _gradients_of_both(self, tape, game):
        """D's and G's, from one pass through both networks (Shen et al. 2021,
        https://arxiv.org/abs/2103.00430).

        Where both losses reach a generated image through its logit alone, the way
        back through D is the same but for a factor an image, and is gone once.
        """
        if not self.rescales:
            return (
                self._gradients(tape, game.d_loss, self.discriminator),
                self._gradients(tape, game.g_loss, self.generator),
            )
        discriminator, image_generator = (
            network.trainable_variables
            for network in (self.discriminator, self.generator)
        )
        share = tf.constant(1 / tf.distribute.get_strategy().num_replicas_in_sync)
        *d_gradients, slopes = tape.gradient(
            game.d_loss, [*discriminator, game.images], output_gradients=share
        )
        for_g, for_d = (
            tape.gradient(loss, game.generated) for loss in (game.g_loss, game.d_loss)
        )
        factors = tf.math.divide_no_nan(for_g, for_d)
        slopes = slopes * ops.reshape(factors, (-1, 1, 1, 1))
        g_gradients = tape.gradient(
            game.images, image_generator, output_gradients=slopes
        )
        return d_gradients, g_gradients

    # Regularisation ------------------------------------------------------------

    def _gradient_penalty(self, real, generated, captions):
        """Of `wasserstein-gp`, on points between real and generated images
        (Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028), weight 10."""
        if self.settings.loss != "wasserstein-gp":
            return 0.0
        place = keras.random.uniform(
            (ops.shape(real)[0], 1, 1, 1), seed=self.seed_generator
        )
        between = real + place * (ops.stop_gradient(generated) - real)
        norms = ops.sqrt(self._squared_slopes(between, captions) + 1e-12)
        return 10.0 * ops.mean(ops.square(norms - 1))

    def _squared_slopes(self, images, captions=None):
        """How steeply D's logit rises with each image, squared: `(n,)`."""
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits, vectors = self.discriminator.encode_image(images, training=True)
            if captions is not None:
                logits = logits + self.discriminator.match(vectors, captions)
        slopes = tape.gradient(logits, images)
        return ops.sum(ops.square(slopes), axis=(1, 2, 3))

    def _with_r1(self, gradients, real, token_ids):
        """Adds R1 on real images (Mescheder et al. 2018,
        https://arxiv.org/abs/1801.04406), lazily: every `r1_interval` steps, as many
        times as strong (Karras et al. 2020, https://arxiv.org/abs/1912.04958)."""
        if not self.settings.r1:
            return gradients
        weights = self.discriminator.trainable_variables

        def penalty():
            with tf.GradientTape() as tape:
                captions = None
                if self.conditional:
                    _, captions = self.discriminator.encode_text(
                        token_ids, training=True
                    )
                slopes = self._squared_slopes(self._augment(real), captions)
                loss = 0.5 * self.settings.r1 * ops.mean(slopes)
                loss = loss * self.settings.r1_interval
            found = self._gradients(tape, loss, self.discriminator)
            return [
                ops.zeros_like(weight) if slope is None else tf.convert_to_tensor(slope)
                for slope, weight in zip(found, weights)
            ]

        due = self.step % self.settings.r1_interval == 0
        penalties = tf.cond(due, penalty, lambda: [ops.zeros_like(w) for w in weights])
        return [
            tf.convert_to_tensor(slope) + penalty
            for slope, penalty in zip(gradients, penalties)
        ]

    def _average(self):
        """Moves the generator's exponential moving average, with a half-life in
        images that is short at first (Karras et al. 2020)."""
        images = ops.cast(self.step + 1, "float32") * self.batch_size
        half_life = ops.minimum(1000 * self.settings.ema_half_life, 0.05 * images)
        keep = 0.5 ** (self.batch_size / ops.maximum(half_life, 1e-6))
        for average, weight in zip(
            self.ema_generator.variables, self.generator.variables
        ):
            if "float" in average.dtype:
                average.assign(weight + keep * (average - weight))

    # Figures -------------------------------------------------------------------

    def _measure(self, game):
        figures = {
            "g_loss": game.g_loss,
            "d_loss": game.d_loss,
            "value": self.loss_functions.value(game.real, game.generated),
            "d_real": ops.mean(ops.cast(game.real > 0, "float32")),
            "d_generated": ops.mean(ops.cast(game.generated < 0, "float32")),
        }
        if self.conditional:
            wrong = ops.cast(game.mismatched < 0, "float32")
            figures["d_mismatched"] = ops.mean(wrong)
        for tracker in self.trackers:
            if tracker.name in figures:
                tracker.update_state(figures[tracker.name])
        # Shape (1,): MultiWorkerMirroredStrategy cannot gather scalars.
        return {
            tracker.name: ops.reshape(tracker.result(), (1,))
            for tracker in self.trackers
            if tracker.name in figures
        }


def scale_images(images):
    """uint8 images to floats in [-1, 1], as both networks want them."""
    return ops.cast(images, "float32") / 127.5 - 1


def diversity_loss(generated, real, enough=0.7):
    """How far images of one caption fall short of differing, 0 to 1.

    The two halves of `generated` (n, size, size, channels) show the same captions
    under different noise; their distance, at a quarter of the resolution so that
    texture does not count, is measured against `enough` times that of
    real images of different captions (in the spirit of Yang et al. 2019,
    https://arxiv.org/abs/1901.09024).
    """
    generated, real = (
        ops.average_pool(images, 4, strides=4) for images in (generated, real)
    )
    first, second = ops.split(generated, 2)
    between = ops.mean(ops.abs(first - second), axis=(1, 2, 3))
    wanted = enough * ops.mean(ops.abs(real - ops.roll(real, 1, axis=0)))
    return ops.mean(ops.relu(1 - between / (wanted + 1e-6)))
