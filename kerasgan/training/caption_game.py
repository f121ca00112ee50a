"""The game on captions: paper A equations (1) and (2) on pairs of picture and words."""

import keras
import tensorflow as tf
from keras import ops

from kerasgan.models import decoding
from kerasgan.models.captioner import END
from kerasgan.models.discriminator import Discriminator
from kerasgan.models.text_branch import build_text_branch
from kerasgan.training.losses import (
    contrastive_loss,
    non_saturating_discriminator_loss,
)
from kerasgan.training.pacing import Pace

LESSON = 2  # of a picture's captions in the teacher forcing of a step
OTHERS = 4  # pictures whose captions a caption should not suit
METRICS = ("d_loss", "belief", "consensus", "likelihood")


def build_judge(features, vocabulary_size, caption_length, dim=128):
    """D of captions: the body that judges pairs in the GAN, on the eye's features.

    Returns:
        A `Discriminator`: `{"image": (n, features), "token_ids": (n, length)}` to
        logits `(n,)`.
    """
    picture = keras.Input((features,))
    x = keras.layers.LayerNormalization()(picture)
    x = keras.layers.LeakyReLU(0.2)(keras.layers.Dense(2 * dim)(x))
    see = keras.Model(picture, keras.layers.Dropout(0.3)(x), name="image_branch")
    read = build_text_branch(vocabulary_size, caption_length, dim, "lstm-attention")
    judge = Discriminator(see, read, dim, name="judge")
    judge.build()
    return judge


class CaptionGame(keras.Model):
    """Trains a captioner against a judge of pairs.

    D tells a real pair from the picture with a forged caption and from the picture
    with someone else's caption. G draws several captions a picture; those that D
    believes more than their fellows become likelier (policy gradient; Dai et al. 2017,
    https://arxiv.org/abs/1703.06029; the fellows as baseline: Mnih & Rezende 2016,
    https://arxiv.org/abs/1602.06725). D's belief is joined by how well the words agree
    with the picture's own captions, CIDEr-D as in self-critical training (Rennie et
    al. 2017, https://arxiv.org/abs/1612.00563), less `distinctness` times how well with
    those of other pictures, and teacher forcing goes on beside it.

    Args:
        captioner: what `build_captioner` returned, trained by likelihood.
        judge: what `build_judge` returns.
        settings: a `kerasgan.config.CaptionsConfig`.
        agreement: an `Agreement`.
    """

    def __init__(self, captioner, judge, settings, agreement, seed=0):
        super().__init__()
        self.captioner, self.judge, self.settings = captioner, judge, settings
        self.agreement = agreement
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
        forged, _ = decoding.sample(
            self.captioner,
            grid,
            noise,
            self.settings.samples,
            seed=self.step + self.seed,
        )
        opening = tf.fill([*tf.unstack(tf.shape(forged))[:2], 1], token_ids[0, 0, 0])
        forged = tf.concat([opening, forged], axis=-1)
        d_loss = self._train_judge(grid, token_ids[:, 0], forged[:, 0])
        belief, consensus = self._rewards(grid, token_ids, forged)
        reward = belief + self.settings.consensus * consensus
        likelihood = self._train_captioner(batch, forged, reward)
        self.step.assign_add(1)
        figures = (d_loss, belief, consensus, likelihood)
        for tracker, figure in zip(self.trackers, figures):
            tracker.update_state(figure)
        return {tracker.name: tracker.result() for tracker in self.trackers}

    def _train_judge(self, grid, real, forged):
        features = ops.mean(grid, axis=(1, 2))
        judge = self.judge
        with tf.GradientTape() as tape:
            _, pictures = judge.see(features, training=True)
            _, captions = judge.read(real, training=True)
            _, wrong = judge.read(forged, training=True)
            matched = judge.match(pictures, captions)
            loss = 0.5 * sum(
                non_saturating_discriminator_loss(matched, judge.match(pictures, other))
                for other in (wrong, ops.roll(captions, 1, axis=0))
            )
            rows = ops.arange(ops.shape(real)[0])
            loss += contrastive_loss(pictures, captions, rows, real)
        weights = [weight for weight in judge.trainable_variables]
        slopes = tape.gradient(loss, weights)
        kept = [(s, w) for s, w in zip(slopes, weights) if s is not None]
        self.d_optimizer.apply_gradients(kept)
        return loss

    def _rewards(self, grid, token_ids, forged):
        """D's belief, and the agreement with the picture's captions less that with
        other pictures', `(n, k)` each."""
        count = forged.shape[1]
        _, pictures = self.judge.see(ops.mean(grid, axis=(1, 2)))
        _, captions = self.judge.read(tf.reshape(forged, [-1, forged.shape[-1]]))
        logits = self.judge.match(tf.repeat(pictures, count, axis=0), captions)
        belief = tf.reshape(tf.sigmoid(logits), [-1, count])
        others = [tf.roll(token_ids, shift, axis=0) for shift in range(1, OTHERS + 1)]
        agreement = self.agreement(forged, token_ids)
        others = self.agreement(forged, tf.concat(others, axis=1))
        # In a smaller batch a picture's own captions are among the others.
        others *= tf.cast(tf.shape(token_ids)[0] > OTHERS, tf.float32)
        return belief, agreement - self.settings.distinctness * others

    def _train_captioner(self, batch, forged, reward):
        advantage = reward - tf.reduce_mean(reward, axis=1, keepdims=True)
        advantage /= tf.math.reduce_std(reward, axis=1, keepdims=True) + 0.01
        drawn = {**batch, "token_ids": forged}
        captioner = self.captioner
        with tf.GradientTape() as tape:
            there = forged[:, :, :-1] != END
            joined = tf.boolean_mask(captioner(drawn)[:, :, :-1], there)
            words = tf.boolean_mask(forged[:, :, 1:], there)
            chances = captioner.log_probabilities(joined)
            chances = tf.gather(chances, words, batch_dims=1)
            fate = tf.boolean_mask(
                tf.broadcast_to(advantage[..., None], tf.shape(there)), there
            )
            loss = -tf.reduce_mean(chances * fate)
            lesson = {**batch, "token_ids": self._lesson(batch["token_ids"])}
            taught = captioner(lesson, training=True)
            likelihood = captioner.compute_loss(lesson, y_pred=taught)
            loss += self.settings.likelihood * likelihood
        weights = captioner.trainable_variables
        self.g_optimizer.apply(tape.gradient(loss, weights), weights)
        return likelihood

    def _lesson(self, token_ids):
        """A few of each picture's captions, others in each step."""
        return tf.roll(token_ids, self.step, axis=1)[:, :LESSON]


def play(captioner, settings, dataset, agreement, callbacks=(), seed=0):
    """Trains the captioner in place for `settings.game_epochs` epochs.

    Args:
        captioner: trained by likelihood.
        settings: a `kerasgan.config.CaptionsConfig`.
        dataset: as `training.captioning.batches` makes it.
        agreement: see `CaptionGame`.
        callbacks: Keras callbacks.
    """
    shape = dataset.element_spec["grid"].shape
    judge = build_judge(shape[-1], captioner.vocabulary_size, captioner.caption_length)
    game = CaptionGame(captioner, judge, settings, agreement, seed)
    game.compile(
        keras.optimizers.Adam(settings.game_learning_rate, clipnorm=5.0),
        keras.optimizers.Adam(settings.learning_rate, beta_1=0.5),
    )
    game.fit(
        dataset,
        epochs=settings.game_epochs,
        verbose=0,
        shuffle=False,
        callbacks=[Pace(settings.game_epochs, settings.game_minutes), *callbacks],
    )
