"""Training the matcher."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.models.matcher import build_matcher
from kerasgan.training.pacing import Pace


def train_matcher(settings, train, validation, sizes, eye=None, callbacks=()):
    """Trains a matcher until it finds no more of the validation pictures.

    Args:
        settings: a `kerasgan.config.CaptionsConfig`.
        train, validation: `(pictures, token_ids)` each. Pictures are features `(n,
            features)`, or uint8 pictures where `eye` is to be trained along; token
            ids `(n, k, length)`, all zero where a picture has fewer than k captions.
        sizes: `{"vocabulary_size", "caption_length"}`.
        eye: what `build_eye` returns, or None.
        callbacks: further Keras callbacks.

    Returns:
        The `Matcher` of the best epoch.
    """
    pictures, token_ids = train
    matcher = build_matcher(
        **sizes,
        features=pictures.shape[-1],
        eye=eye,
        dim=settings.joint_dim,
        text_branch=settings.text_branch,
        members=settings.members,
    )
    if eye is None:
        matcher.see.get_layer("standard").adapt(pictures)
    batch_size = min(settings.matcher_batch_size, len(pictures))
    optimizer = keras.optimizers.Adam(settings.matcher_learning_rate)
    matcher.compile(optimizer, jit_compile=False)
    matcher.fit(
        _batches(pictures, token_ids, batch_size, settings.matcher_captions),
        epochs=settings.matcher_epochs,
        verbose=0,
        shuffle=False,
        callbacks=[
            Pace(settings.matcher_epochs, settings.matcher_minutes),
            ValidationRecall(*validation),
            keras.callbacks.EarlyStopping(
                "val_recall", patience=8, mode="max", restore_best_weights=True
            ),
            *callbacks,
        ],
    )
    return matcher


def _batches(pictures, token_ids, batch_size, each):
    """Each picture once an epoch, with `each` of its captions; all zero are those that
    a picture has not."""
    each = min(each, token_ids.shape[1])
    with tf.device("/cpu:0"):
        pictures, token_ids = tf.constant(pictures), tf.constant(token_ids)

    def gather(rows):
        captions = tf.gather(token_ids, rows)
        # A random order, of what is there before what is not.
        rank = tf.random.uniform(tf.shape(captions)[:2])
        rank += tf.cast(captions[..., 0] == 0, tf.float32)
        chosen = tf.argsort(rank, axis=1)[:, :each]
        return {
            "picture": tf.gather(pictures, rows),
            "token_ids": tf.gather(captions, chosen, batch_dims=1),
        }

    count = len(pictures)
    rows = tf.data.Dataset.range(count, output_type=tf.int32).shuffle(count)
    rows = rows.batch(batch_size, drop_remainder=True)
    # Not in parallel: what is drawn would depend on which thread comes first.
    return rows.map(gather).prefetch(2)


class ValidationRecall(keras.callbacks.Callback):
    """Adds `val_recall` to the logs: R@10 in percent, the mean of both ways, each
    validation picture with its first caption."""

    def __init__(self, pictures, token_ids):
        super().__init__()
        self.pictures, self.token_ids = pictures, token_ids[:, 0]

    def on_epoch_end(self, epoch, logs=None):
        seen = self.model.embed("picture", self.pictures)
        cosines = seen @ self.model.embed("caption", self.token_ids).T
        own = np.diag(cosines)
        found = [((cosines > own).sum(0) < 10).mean()]
        found.append(((cosines > own[:, None]).sum(1) < 10).mean())
        logs["val_recall"] = 100 * float(np.mean(found))
