"""Maximum likelihood training of the captioner, before adversarial training."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from kerasgan.captioning.captioner import Captioner
from kerasgan.captioning.validation_loss import ValidationLoss
from kerasgan.config.settings import CaptionsConfig
from kerasgan.encoders.stored_features import Features
from kerasgan.training.callbacks.stop_on_non_finite import StopOnNonFinite
from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay
from kerasgan.training.clipped_adam import ClippedAdam
from kerasgan.training.devices import can_jit_compile
from kerasgan.training.memory_errors import explain_memory_errors
from kerasgan.training.replicas import even_batch_size, shard_batches

PATIENCE = 2  # epochs
CLIP_NORM = 5.0  # of the gradient of each of the captioner's weights


def train_teacher_forcing(
    captioner: Captioner,
    config: CaptionsConfig,
    train: tuple[Sequence[Features], np.ndarray],
    validation: tuple[Sequence[Features], np.ndarray],
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Trains a captioner with teacher forcing until the validation loss rises.

    Args:
        captioner: the model, which is trained in place, with the strategy in whose
            scope it was built.
        config: the settings.
        train: views and token ids; see `caption_batches`.
        validation: the same of the validation images.
        callbacks: further Keras callbacks.
    """
    strategy = captioner.distribute_strategy
    jit_compile = can_jit_compile(strategy, captioner)
    with strategy.scope():
        optimizer = ClippedAdam(config.learning_rate, clipnorm=CLIP_NORM)
        captioner.compile(optimizer, jit_compile=jit_compile)
    sizes = captioner.noise_dim, config.batch_size
    batches = caption_batches(*train, *sizes, strategy.num_replicas_in_sync)
    stage = "captioner (likelihood)"
    with explain_memory_errors(captioner, batches, stage, "captions.batch_size"):
        captioner.fit(
            shard_batches(batches),
            epochs=config.likelihood_epochs,
            verbose=0,
            callbacks=[
                ValidationLoss(caption_batches(*validation, *sizes)),
                StopOnNonFinite(stage, captioner.dtype_policy.name),
                TimedCosineDecay(config.likelihood_epochs, config.likelihood_minutes),
                keras.callbacks.EarlyStopping(
                    "val_loss", patience=PATIENCE, restore_best_weights=True
                ),
                *callbacks,
            ],
        )


def caption_batches(
    views: Sequence[Features],
    token_ids: np.ndarray,
    noise_dim: int,
    batch_size: int,
    replicas: int = 1,
) -> tf.data.Dataset:
    """Creates batches of features and captions, shuffled anew in each epoch.

    Args:
        views: features `(n, height, width, channels)` of the images, for example as
            they are and mirrored. A batch has one view, drawn at random.
        token_ids: int32 `(n, k, length)`.
        noise_dim: size of the noise.
        batch_size: images a batch.
        replicas: of the strategy. With several, batches have equal shares for them, and
            images that do not fill a batch are left for another epoch.

    Returns:
        A `tf.data.Dataset` of `{"features", "token_ids", "noise"}`.
    """
    count, shape = len(token_ids), views[0].shape[1:]

    def read(rows, view):
        rows = np.sort(rows)  # neighbors on the disk
        return views[view][rows].astype(np.float32), token_ids[rows]

    def draw(rows):
        view = tf.random.uniform((), 0, len(views), tf.int32)
        return rows, view, tf.random.normal((tf.shape(rows)[0], noise_dim))

    def gather(rows, view, noise):
        features, ids = tf.numpy_function(read, [rows, view], (tf.float32, tf.int32))
        features.set_shape((None, *shape))
        ids.set_shape((None, *token_ids.shape[1:]))
        return {"features": features, "token_ids": ids, "noise": noise}

    batch_size = even_batch_size(batch_size, count, replicas)
    rows = tf.data.Dataset.range(count).shuffle(count)
    rows = rows.batch(batch_size, drop_remainder=replicas > 1)
    # `draw` is not parallel: the result would depend on the timing of threads.
    return rows.map(draw).map(gather, num_parallel_calls=2).prefetch(2)
