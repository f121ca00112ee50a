"""Adversarial training of the captioner: paper A's equations (1) and (2) on pairs."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from kerasgan.captioning import decoding
from kerasgan.captioning.captioner import Captioner
from kerasgan.captioning.cider_reward import CiderReward
from kerasgan.captioning.teacher_forcing import CLIP_NORM
from kerasgan.config.settings import CaptionsConfig
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.gan.discriminator import Discriminator
from kerasgan.gan.gradients import gradients_of
from kerasgan.gan.losses import non_saturating_discriminator_loss
from kerasgan.training.callbacks.stop_on_non_finite import StopOnNonFinite
from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay
from kerasgan.training.clipped_adam import ClippedAdam
from kerasgan.training.devices import can_jit_compile, uses_xla
from kerasgan.training.memory_errors import explain_memory_errors
from kerasgan.training.replicas import (
    first_row,
    gather_rows,
    gatherable,
    num_shares,
    shard_batches,
)
from kerasgan.training.worker_fit import WorkerFit

NUM_TEACHER_FORCED = 2  # captions an image in the teacher forcing of a step
NUM_NEGATIVES = 4  # other images of the batch that a caption should not match
METRICS = ("d_loss", "d_probability", "cider_reward", "likelihood_loss")


def build_caption_discriminator(
    feature_dim: int, vocabulary_size: int, caption_length: int, dim: int = 128
) -> Discriminator:
    """Builds the discriminator of captions.

    It has the head of the discriminator of images, on features of the image encoder.

    Args:
        feature_dim: size of the features.
        vocabulary_size: number of token ids.
        caption_length: tokens a caption.
        dim: size of the text branch, and of the space of pairs.

    Returns:
        A `Discriminator`: `{"image": (n, feature_dim), "token_ids": (n, length)}` to
        logits `(n,)`.
    """
    features = keras.Input((feature_dim,))
    x = keras.layers.LayerNormalization()(features)
    x = keras.layers.LeakyReLU(0.2)(keras.layers.Dense(2 * dim)(x))
    image_branch = keras.Model(
        features, keras.layers.Dropout(0.3)(x), name="image_branch"
    )
    text_branch = build_text_branch(
        vocabulary_size, caption_length, dim, "lstm-attention"
    )
    discriminator = Discriminator(image_branch, text_branch, dim, name="discriminator")
    discriminator.build()
    return discriminator


def caption_rewards(
    discriminator: Discriminator,
    cider_reward: CiderReward,
    features: tf.Tensor,
    token_ids: tf.Tensor,
    generated: tf.Tensor,
    negative_cider_weight: float = 1.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes the rewards of generated captions.

    Args:
        discriminator: the result of `build_caption_discriminator`.
        cider_reward: CIDEr-D.
        features: of n images, `(n, height, width, channels)`.
        token_ids: the captions of the images, `(n, j, length)`.
        generated: captions `(n, k, length)`, with the start token.
        negative_cider_weight: weight of CIDEr-D with the captions of other images,
            which is subtracted.

    Returns:
        The discriminator's probability that captions are real, and CIDEr-D, both
        `(n, k)`.
    """
    rows, count = tf.range(tf.shape(token_ids)[0]), generated.shape[1]
    _, images = discriminator.encode_image(ops.mean(features, axis=(1, 2)))
    _, captions = discriminator.encode_text(
        tf.reshape(generated, [-1, generated.shape[-1]])
    )
    logits = discriminator.match(tf.repeat(images, count, axis=0), captions)
    probability = tf.reshape(tf.sigmoid(logits), [-1, count])
    all_ids = gather_rows(token_ids)
    negatives = [
        _earlier_rows(all_ids, rows, shift) for shift in range(1, NUM_NEGATIVES + 1)
    ]
    positive = cider_reward(generated, token_ids)
    negative = cider_reward(generated, tf.concat(negatives, axis=1))
    # In a smaller batch an image's own captions are among the negatives.
    negative *= tf.cast(tf.shape(all_ids)[0] > NUM_NEGATIVES, tf.float32)
    return probability, positive - negative_cider_weight * negative


def _earlier_rows(tensor, rows, shift):
    """The rows before this replica's `rows`, in the batch over all replicas."""
    first = first_row(tf.size(rows))
    return tf.gather(tensor, (first + rows - shift) % tf.shape(tensor)[0])


class _AdversarialCaptioning(WorkerFit, keras.Model):
    """Trains a captioner against a discriminator of pairs.

    D tells a real pair from the image with a generated caption, and from the image with
    another image's caption. G samples several captions an image. Those with a higher
    reward than the others of the same image become likelier (policy gradient, Dai et
    al. 2017, https://arxiv.org/abs/1703.06029; with the other samples as the baseline,
    Mnih & Rezende 2016, https://arxiv.org/abs/1602.06725). The reward is D's
    probability and CIDEr-D with the image's own captions, as in self-critical training
    (Rennie et al. 2017, https://arxiv.org/abs/1612.00563), less CIDEr-D with the
    captions of other images. Teacher forcing continues beside it.

    Args:
        captioner: trained by maximum likelihood.
        discriminator: the result of `build_caption_discriminator`.
        cider_reward: CIDEr-D.
        config: the settings.
        seed: of the samples.
    """

    def __init__(
        self,
        captioner: Captioner,
        discriminator: Discriminator,
        cider_reward: CiderReward,
        config: CaptionsConfig,
        seed: int = 0,
    ):
        super().__init__(name="adversarial_captioning")
        self.captioner = captioner
        self.discriminator = discriminator
        self.cider_reward = cider_reward
        self.config = config
        self.seed = seed
        # int64: XLA on a GPU cannot reach int32 variables, which live on the host.
        self.step = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", trainable=False, name="step"
        )
        self.trackers = [keras.metrics.Mean(name=name) for name in METRICS]
        self.built = True  # as both networks are

    def call(self, batch, training=False):
        """Calls the captioner."""
        return self.captioner(batch, training=training)

    def compile(self, g_optimizer, d_optimizer, jit_compile=False):
        """Sets the optimizers of captioner and discriminator."""
        super().compile(optimizer=None, jit_compile=jit_compile)
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer
        # Variables that the first step creates would make TensorFlow trace it twice.
        g_optimizer.build(self.captioner.trainable_variables)
        d_optimizer.build(self.discriminator.trainable_variables)

    @property
    def metrics(self):
        """The running means of a step's losses and rewards."""
        return self.trackers

    def train_step(self, batch):
        """Updates both networks once."""
        features, token_ids = batch["features"], batch["token_ids"]
        generated, _ = decoding.sample_captions(
            self.captioner,
            features,
            batch["noise"],
            self.config.sampled_captions,
            seed=tf.cast(self.step, tf.int32) + self.seed,
            is_static=uses_xla(self),
        )
        shape = [*tf.unstack(tf.shape(generated))[:2], 1]
        generated = tf.concat([tf.fill(shape, token_ids[0, 0, 0]), generated], axis=-1)
        d_loss = self._train_discriminator(features, token_ids[:, 0], generated[:, 0])
        probability, cider = caption_rewards(
            self.discriminator,
            self.cider_reward,
            features,
            token_ids,
            generated,
            self.config.negative_cider_weight,
        )
        reward = probability + self.config.cider_weight * cider
        likelihood_loss = self._train_captioner(batch, generated, reward)
        self.step.assign_add(1)
        values = (d_loss, probability, cider, likelihood_loss)
        for tracker, value in zip(self.trackers, values, strict=True):
            tracker.update_state(value)
        return {tracker.name: gatherable(tracker.result()) for tracker in self.trackers}

    def _train_discriminator(self, features, real, generated):
        features = ops.mean(features, axis=(1, 2))
        discriminator, rows = self.discriminator, ops.arange(ops.shape(real)[0])
        with tf.GradientTape() as tape:
            _, images = discriminator.encode_image(features, training=True)
            _, captions = discriminator.encode_text(real, training=True)
            _, generated = discriminator.encode_text(generated, training=True)
            matched = discriminator.match(images, captions)
            all_captions = gather_rows(captions)
            mismatched = _earlier_rows(all_captions, rows, 1)
            loss = 0.5 * sum(
                non_saturating_discriminator_loss(
                    matched, discriminator.match(images, negatives)
                )
                for negatives in (generated, mismatched)
            )
            targets = first_row(ops.shape(real)[0]) + rows
            loss += discriminator.contrastive_loss(
                images, all_captions, targets, gather_rows(real)
            )
        weights = list(discriminator.trainable_variables)
        gradients = gradients_of(tape, loss, discriminator)
        pairs = zip(gradients, weights, strict=True)
        # `realness` has none: images are always real here.
        self.d_optimizer.apply_gradients(
            [pair for pair in pairs if pair[0] is not None]
        )
        return loss

    def _train_captioner(self, batch, generated, reward):
        advantage = reward - tf.reduce_mean(reward, axis=1, keepdims=True)
        advantage /= tf.math.reduce_std(reward, axis=1, keepdims=True) + 0.01
        sampled = {**batch, "token_ids": generated}
        captioner, is_static = self.captioner, uses_xla(self)
        with tf.GradientTape() as tape:
            loss = captioner.weighted_loss(
                captioner(sampled), generated, advantage, is_static
            )
            # A few of each image's captions, others in each step.
            token_ids = tf.roll(batch["token_ids"], tf.convert_to_tensor(self.step), 1)
            real = {**batch, "token_ids": token_ids[:, :NUM_TEACHER_FORCED]}
            hidden = captioner(real, training=True)
            likelihood_loss = captioner.weighted_loss(
                hidden, real["token_ids"], is_static=is_static
            )
            loss += self.config.likelihood_weight * likelihood_loss
        weights = captioner.trainable_variables
        self.g_optimizer.apply(tape.gradient(loss, weights), weights)
        return likelihood_loss * num_shares()


def train_adversarially(
    captioner: Captioner,
    config: CaptionsConfig,
    dataset: tf.data.Dataset,
    cider_reward: CiderReward,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    seed: int = 0,
) -> None:
    """Trains a captioner against a discriminator, for `config.adversarial_epochs`.

    Args:
        captioner: trained by maximum likelihood; it is trained in place, with the
            strategy in whose scope it was built.
        config: the settings.
        dataset: the result of `caption_batches`.
        cider_reward: CIDEr-D.
        callbacks: further Keras callbacks.
        seed: of the sampled captions.
    """
    shape = dataset.element_spec["features"].shape
    strategy = captioner.distribute_strategy
    with strategy.scope():
        discriminator = build_caption_discriminator(
            shape[-1], captioner.vocabulary_size, captioner.caption_length
        )
        networks = captioner, discriminator
        model = _AdversarialCaptioning(*networks, cider_reward, config, seed)
        model.compile(
            ClippedAdam(config.adversarial_learning_rate, clipnorm=CLIP_NORM),
            keras.optimizers.Adam(config.learning_rate, beta_1=0.5),
            can_jit_compile(strategy, *networks),
        )
    stage = "captioner (adversarial)"
    with explain_memory_errors(model, dataset, stage, "captions.batch_size"):
        model.fit(
            shard_batches(dataset),
            epochs=config.adversarial_epochs,
            verbose=0,
            shuffle=False,
            callbacks=[
                StopOnNonFinite(stage, captioner.dtype_policy.name),
                TimedCosineDecay(config.adversarial_epochs, config.adversarial_minutes),
                *callbacks,
            ],
        )
