"""Training the dual_encoder."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.captioning.dual_encoder import build_dual_encoder
from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay


def train_dual_encoder(
    settings, train, validation, sizes, image_encoder=None, callbacks=()
):
    """Trains a dual_encoder until it finds no more of the validation images.

    Args:
        settings: a `kerasgan.config.settings.CaptionsConfig`.
        train, validation: `(images, token_ids)` each. Images are features `(n,
            features)`, or uint8 images where `image_encoder` is to be trained along; token
            ids `(n, k, length)`, all zero where an image has fewer than k captions.
        sizes: `{"vocabulary_size", "caption_length"}`.
        image_encoder: what `build_image_encoder` returns, or None.
        callbacks: further Keras callbacks.

    Returns:
        The `DualEncoder` of the best epoch.
    """
    images, token_ids = train
    dual_encoder = dual_encoder_for(settings, sizes, images.shape[-1], image_encoder)
    if image_encoder is None:
        dual_encoder.image_encoder.get_layer("standard").adapt(images)
    batch_size = min(settings.dual_encoder_batch_size, len(images))
    optimizer = keras.optimizers.Adam(settings.dual_encoder_learning_rate)
    dual_encoder.compile(optimizer, jit_compile=False)
    dual_encoder.fit(
        _batches(images, token_ids, batch_size, settings.captions_per_image),
        epochs=settings.dual_encoder_epochs,
        verbose=0,
        shuffle=False,
        callbacks=[
            TimedCosineDecay(
                settings.dual_encoder_epochs, settings.dual_encoder_minutes
            ),
            ValidationRecall(*validation),
            keras.callbacks.EarlyStopping(
                "val_recall", patience=8, mode="max", restore_best_weights=True
            ),
            *callbacks,
        ],
    )
    return dual_encoder


def dual_encoder_for(settings, sizes, features, image_encoder=None):
    """The dual_encoder that the settings describe, untrained; see `train_dual_encoder`."""
    return build_dual_encoder(
        **sizes,
        features=features,
        image_encoder=image_encoder,
        dim=settings.joint_dim,
        text_branch=settings.text_branch,
        members=settings.dual_encoder_members,
    )


def _batches(images, token_ids, batch_size, each):
    """Each image once an epoch, with `each` of its captions; all zero are those that
    an image has not."""
    each = min(each, token_ids.shape[1])
    with tf.device("/cpu:0"):
        images, token_ids = tf.constant(images), tf.constant(token_ids)

    def gather(rows):
        captions = tf.gather(token_ids, rows)
        # A random order, of what is there before what is not.
        rank = tf.random.uniform(tf.shape(captions)[:2])
        rank += tf.cast(captions[..., 0] == 0, tf.float32)
        chosen = tf.argsort(rank, axis=1)[:, :each]
        return {
            "image": tf.gather(images, rows),
            "token_ids": tf.gather(captions, chosen, batch_dims=1),
        }

    count = len(images)
    rows = tf.data.Dataset.range(count, output_type=tf.int32).shuffle(count)
    rows = rows.batch(batch_size, drop_remainder=True)
    # Not in parallel: what is drawn would depend on which thread comes first.
    return rows.map(gather).prefetch(2)


class ValidationRecall(keras.callbacks.Callback):
    """Adds `val_recall` to the logs: R@10 in percent, the mean of both ways, each
    validation image with its first caption."""

    def __init__(self, images, token_ids):
        super().__init__()
        self.images, self.token_ids = images, token_ids[:, 0]

    def on_epoch_end(self, epoch, logs=None):
        seen = self.model.embed("image", self.images)
        cosines = seen @ self.model.embed("caption", self.token_ids).T
        own = np.diag(cosines)
        found = [((cosines > own).sum(0) < 10).mean()]
        found.append(((cosines > own[:, None]).sum(1) < 10).mean())
        logs["val_recall"] = 100 * float(np.mean(found))
