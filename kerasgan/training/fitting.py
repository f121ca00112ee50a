"""Fits one network of classes, and says when to stop."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.training.examples import batches
from kerasgan.training.pacing import Pace


class Held(keras.callbacks.Callback):
    """After each epoch the log-probabilities of pairs that were held back.

    Attributes:
        found: one `(n, classes)` an epoch.
        losses: one mean log-loss an epoch.
    """

    def __init__(self, examples, patience):
        super().__init__()
        self.examples, self.patience = examples, patience
        self.found, self.losses = [], []

    def on_train_begin(self, logs=None):
        self.tell = teller(self.model)

    def on_epoch_end(self, epoch, logs=None):
        found = self.tell(self.examples)
        own = found[np.arange(len(found)), self.examples.labels]
        self.found.append(found)
        self.losses.append(-own.mean())
        logs["val_loss"] = self.losses[-1]
        logs["val_accuracy"] = (found.argmax(1) == self.examples.labels).mean()
        if len(self.losses) - self.best > self.patience:
            self.model.stop_training = True

    @property
    def best(self):
        """The number of epochs, from 1, after which the loss was least."""
        return 1 + int(np.argmin(self.losses))


def fit(network, settings, examples, rows, epochs, held=None, callbacks=()):
    """Trains a network in place.

    Args:
        network: what `build_classifier` returns.
        settings: a `kerasgan.config.ClassifierConfig`.
        examples, rows: see `examples.batches`.
        epochs: at most; fewer where `held` loses patience.
        held: a `Held`, or None.
        callbacks: further Keras callbacks.
    """
    trainer, feed = trainer_of(network, settings, examples, rows)
    if settings.minutes:
        callbacks = [*callbacks, Pace(epochs, settings.minutes)]
    trainer.fit(
        feed,
        epochs=epochs,
        verbose=0,
        shuffle=False,
        callbacks=[*([held] if held else []), *callbacks],
    )


def trainer_of(network, settings, examples, rows):
    """A compiled model around a network, and what it is fed with; the network itself
    is to be saved without an optimizer."""
    trainer = keras.Model(network.input, network.output)
    trainer.compile(
        keras.optimizers.Adam(settings.learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # XLA halves the speed of convolutions on processors
    )
    return trainer, batches(examples, rows, network, settings.batch_size)


def fit_to_best(network, settings, examples, callbacks=()):
    """Trains on all but a part of the examples, which says when to stop, and leaves
    the network as it was then; with no patience, on all and to the last epoch."""
    rows = np.random.default_rng(0).permutation(len(examples))
    if settings.patience is None:
        fit(network, settings, examples, rows, settings.epochs, callbacks=callbacks)
        return
    kept = max(1, round(settings.validation * len(rows)))
    held = Held(examples[rows[:kept]], settings.patience)
    best = Best(held)
    fit(
        network,
        settings,
        examples,
        rows[kept:],
        settings.epochs,
        held,
        [best, *callbacks],
    )
    network.set_weights(best.weights)


class Best(keras.callbacks.Callback):
    """Keeps the weights of the epoch that a `Held` found best."""

    def __init__(self, held):
        super().__init__()
        self.held, self.weights = held, None

    def on_epoch_end(self, epoch, logs=None):
        if self.held.best == len(self.held.losses):
            self.weights = self.model.get_weights()


def log_probabilities(network, examples):
    """`(n, classes)` float32."""
    return teller(network)(examples)


def teller(network, batch_size=256):
    """What gives the log-probabilities of `Examples`, compiled once."""

    @tf.function(reduce_retracing=True)
    def tell(inputs):
        return tf.nn.log_softmax(network(inputs, training=False))

    def of(examples):
        inputs, found = examples.inputs(network), []
        for start in range(0, len(examples), batch_size):
            rows = slice(start, start + batch_size)
            part = {name: tf.constant(array[rows]) for name, array in inputs.items()}
            found.append(tell(part).numpy())
        return np.concatenate(found)

    return of
