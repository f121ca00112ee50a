"""Training the captioner by likelihood, before adversarial training."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay


def train_teacher_forcing(captioner, settings, train, validation, callbacks=()):
    """Teacher forcing until the validation captions become no likelier.

    Args:
        captioner: what `build_captioner` returns; it is trained in place.
        settings: a `kerasgan.config.settings.CaptionsConfig`.
        train, validation: `(looks, token_ids)` each, see `batches`.
        callbacks: further Keras callbacks.
    """
    optimizer = keras.optimizers.Adam(settings.learning_rate, clipnorm=5.0)
    captioner.compile(optimizer, jit_compile=False)
    captioner.fit(
        caption_batches(*train, captioner.noise_dim, settings.batch_size),
        validation_data=caption_batches(
            *validation, captioner.noise_dim, settings.batch_size
        ),
        epochs=settings.likelihood_epochs,
        verbose=0,
        shuffle=False,
        callbacks=[
            TimedCosineDecay(settings.likelihood_epochs, settings.likelihood_minutes),
            keras.callbacks.EarlyStopping(
                "val_loss", patience=2, restore_best_weights=True
            ),
            *callbacks,
        ],
    )


def caption_batches(looks, token_ids, noise_dim, batch_size):
    """Batches of images with their captions, each image once, in another order
    each time.

    Args:
        looks: grids `(n, height, width, channels)` of the images, as they are and
            mirrored, say; a batch has one of them.
        token_ids: `(n, k, length)`.
        noise_dim: size of the noise.
        batch_size: images.

    Returns:
        A `tf.data.Dataset` of `{"grid", "token_ids", "noise"}`.
    """
    count, shape = len(token_ids), looks[0].shape[1:]

    def read(rows, look):
        rows = np.sort(rows)  # neighbours on the disk
        return looks[look][rows].astype(np.float32), token_ids[rows]

    def draw(rows):
        look = tf.random.uniform((), 0, len(looks), tf.int32)
        return rows, look, tf.random.normal((tf.shape(rows)[0], noise_dim))

    def gather(rows, look, noise):
        grid, ids = tf.numpy_function(read, [rows, look], (tf.float32, tf.int32))
        grid.set_shape((None, *shape))
        ids.set_shape((None, *token_ids.shape[1:]))
        return {"grid": grid, "token_ids": ids, "noise": noise}

    rows = tf.data.Dataset.range(count).shuffle(count).batch(min(batch_size, count))
    # Drawn one after the other: in parallel it would depend on which thread is first.
    return rows.map(draw).map(gather, num_parallel_calls=2).prefetch(2)
