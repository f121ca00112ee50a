"""Callbacks that score and keep the best epoch of a network."""

import keras
import numpy as np


class ValidationPredictions(keras.callbacks.Callback):
    """After each epoch the log-probabilities of pairs that were held back.

    Attributes:
        found: one `(n, classes)` an epoch.
        losses: one mean log-loss an epoch.
    """

    def __init__(self, trainer, examples, patience):
        super().__init__()
        self.trainer, self.examples, self.patience = trainer, examples, patience
        self.found, self.losses = [], []

    def on_epoch_end(self, epoch, logs=None):
        found = self.trainer.log_probabilities(self.examples)
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


class BestWeights(keras.callbacks.Callback):
    """Keeps the weights of the epoch that a `ValidationPredictions` found best."""

    def __init__(self, held):
        super().__init__()
        self.held, self.weights = held, None

    def on_epoch_end(self, epoch, logs=None):
        if self.held.best == len(self.held.losses):
            self.weights = self.model.get_weights()
