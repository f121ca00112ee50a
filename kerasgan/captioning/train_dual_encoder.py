"""Trains the dual encoder."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasgan.captioning.configured_networks import build_configured_dual_encoder
from kerasgan.captioning.dual_encoder import DualEncoder
from kerasgan.captioning.validation_recall import ValidationRecall
from kerasgan.config.settings import CaptionsConfig
from kerasgan.data.shards import explain_read_errors
from kerasgan.data.stored_arrays import StoredImages, gather_function
from kerasgan.training.callbacks.stop_on_non_finite import StopOnNonFinite
from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay
from kerasgan.training.devices import can_jit_compile
from kerasgan.training.memory_errors import explain_memory_errors
from kerasgan.training.replicas import even_batch_size, shard_batches

PATIENCE = 8  # epochs


def train_dual_encoder(
    config: CaptionsConfig,
    train: tuple[Any, np.ndarray],
    validation: tuple[Any, np.ndarray],
    vocabulary_size: int,
    image_encoder: keras.Model | None = None,
    word_vectors: np.ndarray | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> DualEncoder:
    """Trains a dual encoder until its recall on the validation images falls.

    It is built, and trains, in the scope of the current strategy.

    Args:
        config: the settings.
        train: images and token ids. Images are features `(n, feature_dim)`, or uint8
            `(n, size, size, 3)` with an image encoder, in memory or `StoredImages`.
            Token ids are int32 `(n, k, length)`, all zero where an image has fewer
            than k captions.
        validation: the same of the validation images.
        vocabulary_size: number of token ids.
        image_encoder: from `build_image_encoder`, which is trained too, or None.
        word_vectors: initial values of the embeddings, see `build_text_branch`.
        callbacks: further Keras callbacks.

    Returns:
        The `DualEncoder` of the best epoch.
    """
    images, token_ids = train
    dual_encoder = build_configured_dual_encoder(
        config, vocabulary_size, images.shape[-1], image_encoder, word_vectors
    )
    if image_encoder is None:
        dual_encoder.adapt(np.asarray(images))
    strategy = dual_encoder.distribute_strategy
    replicas = strategy.num_replicas_in_sync
    batch_size = even_batch_size(config.dual_encoder_batch_size, len(images), replicas)
    optimizer = keras.optimizers.Adam(config.dual_encoder_learning_rate)
    networks = dual_encoder.image_encoder, dual_encoder.text_encoder
    dual_encoder.compile(optimizer, jit_compile=can_jit_compile(strategy, *networks))
    batches = dual_encoder_batches(
        images, token_ids, batch_size, config.captions_per_image
    )
    callbacks = [
        StopOnNonFinite("dual encoder", dual_encoder.dtype_policy.name),
        TimedCosineDecay(config.dual_encoder_epochs, config.dual_encoder_minutes),
        ValidationRecall(*validation),
        keras.callbacks.EarlyStopping(
            "val_recall", patience=PATIENCE, mode="max", restore_best_weights=True
        ),
        *callbacks,
    ]
    place = "dual encoder", "captions.dual_encoder_batch_size"
    memory_errors = explain_memory_errors(dual_encoder, batches, *place)
    with explain_read_errors(images), memory_errors:
        epochs = config.dual_encoder_epochs
        dual_encoder.fit(
            shard_batches(batches), epochs=epochs, verbose=0, callbacks=callbacks
        )
    return dual_encoder


def dual_encoder_batches(
    images: np.ndarray | StoredImages,
    token_ids: np.ndarray,
    batch_size: int,
    num_captions: int,
) -> tf.data.Dataset:
    """Creates batches of images and captions, shuffled anew in each epoch.

    Args:
        images: images or features `(n, ...)`.
        token_ids: int32 `(n, k, length)`, all zero where an image has fewer captions.
        batch_size: images a batch; the remainder is dropped.
        num_captions: captions an image in a batch, drawn at random.

    Returns:
        A `tf.data.Dataset` of `{"image", "token_ids"}`.
    """
    num_captions = min(num_captions, token_ids.shape[1])
    gather_images = gather_function(images)
    with tf.device("/cpu:0"):
        token_ids = tf.constant(token_ids)

    def gather(rows):
        captions = tf.gather(token_ids, rows)
        # A random order, with missing captions last.
        rank = tf.random.uniform(tf.shape(captions)[:2])
        rank += tf.cast(captions[..., 0] == 0, tf.float32)
        chosen = tf.argsort(rank, axis=1)[:, :num_captions]
        token_ids_of_rows = tf.gather(captions, chosen, batch_dims=1)
        # After the random numbers, whose seed depends on the operations before them.
        return {"image": gather_images(rows), "token_ids": token_ids_of_rows}

    count = len(images)
    rows = tf.data.Dataset.range(count, output_type=tf.int32).shuffle(count)
    rows = rows.batch(batch_size, drop_remainder=True)
    # Not parallel: the result would depend on the timing of threads.
    return rows.map(gather).prefetch(2)
