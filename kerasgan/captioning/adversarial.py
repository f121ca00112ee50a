"""The adversarial on captions: paper A equations (1) and (2) on pairs of image and words."""

import keras
import tensorflow as tf
from keras import ops

from kerasgan.captioning import decoding
from kerasgan.captioning.captioner import END
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.gan.discriminator import Discriminator
from kerasgan.gan.losses import contrastive_loss, non_saturating_discriminator_loss
from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay

TEACHER_FORCED_CAPTIONS = 2  # of an image's captions in the teacher forcing of a step
OTHER_IMAGES = 4  # images whose captions a caption should not suit
METRICS = ("d_loss", "probability", "consensus", "likelihood")


def build_caption_discriminator(features, vocabulary_size, caption_length, dim=128):
    """D of captions: the body that judges pairs in the GAN, on the image_encoder's features.

    Returns:
        A `Discriminator`: `{"image": (n, features), "token_ids": (n, length)}` to
        logits `(n,)`.
    """
    image = keras.Input((features,))
    x = keras.layers.LayerNormalization()(image)
    x = keras.layers.LeakyReLU(0.2)(keras.layers.Dense(2 * dim)(x))
    see = keras.Model(image, keras.layers.Dropout(0.3)(x), name="image_branch")
    read = build_text_branch(vocabulary_size, caption_length, dim, "lstm-attention")
    discriminator = Discriminator(see, read, dim, name="discriminator")
    discriminator.build()
    return discriminator


class AdversarialCaptioning(keras.Model):
    """Trains a captioner against a discriminator of pairs.

    D tells a real pair from the image with a generated caption and from the image
    with someone else's caption. G draws several captions an image; those that D
    believes more than their fellows become likelier (policy gradient; Dai et al. 2017,
    https://arxiv.org/abs/1703.06029; the fellows as baseline: Mnih & Rezende 2016,
    https://arxiv.org/abs/1602.06725). D's probability is joined by how well the words agree
    with the image's own captions, CIDEr-D as in self-critical training (Rennie et
    al. 2017, https://arxiv.org/abs/1612.00563), less `distinctness` times how well with
    those of other images, and teacher forcing goes on beside it.

    Args:
        captioner: what `build_captioner` returned, trained by likelihood.
        discriminator: what `build_caption_discriminator` returns.
        settings: a `kerasgan.config.settings.CaptionsConfig`.
        cider_reward: an `CiderReward`.
    """

    def __init__(self, captioner, discriminator, settings, cider_reward, seed=0):
        super().__init__()
        self.captioner, self.discriminator, self.settings = (
            captioner,
            discriminator,
            settings,
        )
        self.cider_reward = cider_reward
        self.step = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="step"
        )
        self.seed = seed
        self.trackers = [keras.metrics.Mean(name=name) for name in METRICS]

    def build(self, input_shape=None):
        self.built = True

    def call(self, batch, training=False):
        return self.captioner(batch, training=training)

    def compile(self, g_optimizer, d_optimizer):
        super().compile(optimizer=None, jit_compile=False)
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer

    @property
    def metrics(self):
        return self.trackers

    def train_step(self, batch):
        grid, noise, token_ids = batch["grid"], batch["noise"], batch["token_ids"]
        generated, _ = decoding.sample_captions(
            self.captioner,
            grid,
            noise,
            self.settings.sampled_captions,
            seed=self.step + self.seed,
        )
        opening = tf.fill([*tf.unstack(tf.shape(generated))[:2], 1], token_ids[0, 0, 0])
        generated = tf.concat([opening, generated], axis=-1)
        d_loss = self._train_judge(grid, token_ids[:, 0], generated[:, 0])
        probability, consensus = self._rewards(grid, token_ids, generated)
        reward = probability + self.settings.cider_weight * consensus
        likelihood = self._train_captioner(batch, generated, reward)
        self.step.assign_add(1)
        figures = (d_loss, probability, consensus, likelihood)
        for tracker, figure in zip(self.trackers, figures):
            tracker.update_state(figure)
        return {tracker.name: tracker.result() for tracker in self.trackers}

    def _train_judge(self, grid, real, generated):
        features = ops.mean(grid, axis=(1, 2))
        discriminator = self.discriminator
        with tf.GradientTape() as tape:
            _, images = discriminator.encode_image(features, training=True)
            _, captions = discriminator.encode_text(real, training=True)
            _, wrong = discriminator.encode_text(generated, training=True)
            matched = discriminator.match(images, captions)
            loss = 0.5 * sum(
                non_saturating_discriminator_loss(
                    matched, discriminator.match(images, other)
                )
                for other in (wrong, ops.roll(captions, 1, axis=0))
            )
            rows = ops.arange(ops.shape(real)[0])
            loss += contrastive_loss(images, captions, rows, real)
        weights = [weight for weight in discriminator.trainable_variables]
        slopes = tape.gradient(loss, weights)
        kept = [(s, w) for s, w in zip(slopes, weights) if s is not None]
        self.d_optimizer.apply_gradients(kept)
        return loss

    def _rewards(self, grid, token_ids, generated):
        """D's probability, and the cider_reward with the image's captions less that with
        other images', `(n, k)` each."""
        count = generated.shape[1]
        _, images = self.discriminator.encode_image(ops.mean(grid, axis=(1, 2)))
        _, captions = self.discriminator.encode_text(
            tf.reshape(generated, [-1, generated.shape[-1]])
        )
        logits = self.discriminator.match(tf.repeat(images, count, axis=0), captions)
        probability = tf.reshape(tf.sigmoid(logits), [-1, count])
        others = [
            tf.roll(token_ids, shift, axis=0) for shift in range(1, OTHER_IMAGES + 1)
        ]
        cider_reward = self.cider_reward(generated, token_ids)
        others = self.cider_reward(generated, tf.concat(others, axis=1))
        # In a smaller batch an image's own captions are among the others.
        others *= tf.cast(tf.shape(token_ids)[0] > OTHER_IMAGES, tf.float32)
        return probability, cider_reward - self.settings.negative_cider_weight * others

    def _train_captioner(self, batch, generated, reward):
        advantage = reward - tf.reduce_mean(reward, axis=1, keepdims=True)
        advantage /= tf.math.reduce_std(reward, axis=1, keepdims=True) + 0.01
        drawn = {**batch, "token_ids": generated}
        captioner = self.captioner
        with tf.GradientTape() as tape:
            there = generated[:, :, :-1] != END
            joined = tf.boolean_mask(captioner(drawn)[:, :, :-1], there)
            words = tf.boolean_mask(generated[:, :, 1:], there)
            chances = captioner.log_probabilities(joined)
            chances = tf.gather(chances, words, batch_dims=1)
            fate = tf.boolean_mask(
                tf.broadcast_to(advantage[..., None], tf.shape(there)), there
            )
            loss = -tf.reduce_mean(chances * fate)
            lesson = {**batch, "token_ids": self._lesson(batch["token_ids"])}
            taught = captioner(lesson, training=True)
            likelihood = captioner.compute_loss(lesson, y_pred=taught)
            loss += self.settings.likelihood_weight * likelihood
        weights = captioner.trainable_variables
        self.g_optimizer.apply(tape.gradient(loss, weights), weights)
        return likelihood

    def _lesson(self, token_ids):
        """A few of each image's captions, others in each step."""
        return tf.roll(token_ids, self.step, axis=1)[:, :TEACHER_FORCED_CAPTIONS]


def train_adversarially(
    captioner, settings, dataset, cider_reward, callbacks=(), seed=0
):
    """Trains the captioner in place for `settings.adversarial_epochs` epochs.

    Args:
        captioner: trained by likelihood.
        settings: a `kerasgan.config.settings.CaptionsConfig`.
        dataset: as `training.captioning.batches` makes it.
        cider_reward: see `AdversarialCaptioning`.
        callbacks: Keras callbacks.
    """
    shape = dataset.element_spec["grid"].shape
    discriminator = build_caption_discriminator(
        shape[-1], captioner.vocabulary_size, captioner.caption_length
    )
    adversarial = AdversarialCaptioning(
        captioner, discriminator, settings, cider_reward, seed
    )
    adversarial.compile(
        keras.optimizers.Adam(settings.adversarial_learning_rate, clipnorm=5.0),
        keras.optimizers.Adam(settings.learning_rate, beta_1=0.5),
    )
    adversarial.fit(
        dataset,
        epochs=settings.adversarial_epochs,
        verbose=0,
        shuffle=False,
        callbacks=[
            TimedCosineDecay(settings.adversarial_epochs, settings.adversarial_minutes),
            *callbacks,
        ],
    )
