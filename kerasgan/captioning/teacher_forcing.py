"""Maximum likelihood training of the captioner, before adversarial training."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from kerasgan.captioning.captioner import Captioner
from kerasgan.config.settings import CaptionsConfig
from kerasgan.encoders.stored_features import Features
from kerasgan.training.callbacks.stop_on_non_finite import StopOnNonFinite
from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay
from kerasgan.training.devices import can_jit_compile
from kerasgan.training.memory_errors import explain_memory_errors

PATIENCE = 2  # epochs


def train_teacher_forcing(
    captioner: Captioner,
    config: CaptionsConfig,
    train: tuple[Sequence[Features], np.ndarray],
    validation: tuple[Sequence[Features], np.ndarray],
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Trains a captioner with teacher forcing until the validation loss rises.

    Args:
        captioner: the model, which is trained in place.
        config: the settings.
        train: views and token ids; see `caption_batches`.
        validation: the same of the validation images.
        callbacks: further Keras callbacks.
    """
    optimizer = keras.optimizers.Adam(config.learning_rate, clipnorm=5.0)
    jit_compile = can_jit_compile(captioner.distribute_strategy, captioner)
    captioner.compile(optimizer, jit_compile=jit_compile)
    sizes = captioner.noise_dim, config.batch_size
    batches, stage = caption_batches(*train, *sizes), "captioner (likelihood)"
    with explain_memory_errors(captioner, batches, stage, "captions.batch_size"):
        captioner.fit(
            batches,
            validation_data=caption_batches(*validation, *sizes),
            epochs=config.likelihood_epochs,
            verbose=0,
            callbacks=[
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
) -> tf.data.Dataset:
    """Creates batches of features and captions, shuffled anew in each epoch.

    Args:
        views: features `(n, height, width, channels)` of the images, for example as
            they are and mirrored. A batch has one view, drawn at random.
        token_ids: int32 `(n, k, length)`.
        noise_dim: size of the noise.
        batch_size: images a batch.

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

    rows = tf.data.Dataset.range(count).shuffle(count).batch(min(batch_size, count))
    # `draw` is not parallel: the result would depend on the timing of threads.
    return rows.map(draw).map(gather, num_parallel_calls=2).prefetch(2)
