"""Training what foretells the words of a picture's captions."""

import keras
import tensorflow as tf
from keras import ops

from kerasgan.models.expectation import build_expectation
from kerasgan.training.pacing import Pace

TEMPERATURE = 0.05  # of the softmax over cosines
SHARE = 0.2  # of the matcher's minutes


def train_expectation(settings, train, validation, idf, callbacks=()):
    """Trains until the validation pictures' words are foretold no better.

    A picture's captions are one TF-IDF vector, which is to be nearer to what this
    picture makes one expect than to what others of the batch do, and the other way
    round.

    Args:
        settings: a `kerasgan.config.CaptionsConfig`.
        train, validation: `(features, token_ids)` each: `(n, features)` and `(n, k,
            length)`.
        idf: `(vocabulary_size,)`, see `choosing.idf_of`.
        callbacks: further Keras callbacks.

    Returns:
        What `build_expectation` returns, of the best epoch.
    """
    network = build_expectation(train[0].shape[1], len(idf))
    network.get_layer("standard").adapt(train[0])
    optimizer = keras.optimizers.Adam(settings.matcher_learning_rate)
    network.compile(optimizer, _contrast, jit_compile=False)
    minutes = settings.matcher_minutes
    network.fit(
        _batches(*train, idf, settings.matcher_batch_size),
        validation_data=_batches(*validation, idf, settings.matcher_batch_size),
        epochs=settings.matcher_epochs,
        verbose=0,
        shuffle=False,
        callbacks=[
            Pace(settings.matcher_epochs, minutes and SHARE * minutes),
            keras.callbacks.EarlyStopping(
                "val_loss", patience=3, restore_best_weights=True
            ),
            *callbacks,
        ],
    )
    return network


def _contrast(words, expected):
    cosines = ops.matmul(expected, ops.transpose(words)) / TEMPERATURE
    own = ops.diagonal(cosines)
    return (ops.logsumexp(cosines, 0) + ops.logsumexp(cosines, 1)) / 2 - own


def _batches(features, token_ids, idf, batch_size):
    features, token_ids = tf.constant(features), tf.constant(token_ids)
    idf, size = tf.constant(idf, tf.float32), len(idf)

    def gather(rows):
        ids = tf.gather(token_ids, rows)
        ids = tf.reshape(ids, [tf.shape(ids)[0], -1])
        bags = tf.math.bincount(
            ids, weights=tf.gather(idf, ids), minlength=size, maxlength=size, axis=-1
        )
        return tf.gather(features, rows), tf.math.l2_normalize(bags, axis=-1)

    count = len(features)
    rows = tf.data.Dataset.range(count).shuffle(count).batch(min(batch_size, count))
    return rows.map(gather).prefetch(2)
