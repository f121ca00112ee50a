"""Ensemble members that are networks."""

import numpy as np
from scipy import special

from kerasgan.classification.callbacks import BestWeights, ValidationPredictions
from kerasgan.classification.network_trainer import NetworkTrainer
from kerasgan.classification.networks import build_averaged_network


class NetworkMember:
    """A network of `build_classifier`, trained for as many epochs as suit it.

    What was trained for the weights of the pool is not thrown away: those networks and
    the last, trained on all rows, answer together (bagging; Breiman 1996, "Bagging
    predictors").

    Args:
        modality: `"image"`, `"text"`, or `"pair"`, which needs both.
        network: the network.
        settings: a `kerasgan.config.settings.ClassifierConfig`.
        callbacks: Keras callbacks.
    """

    def __init__(self, modality, network, settings, callbacks=()):
        self.modality, self.settings = modality, settings
        self.trainer, self.callbacks = NetworkTrainer(network, settings), callbacks
        self.best = []  # number of epochs for each fold
        self.members = []  # weights

    def outside(self, examples, fitted, held):
        """Trains on some rows; log-probabilities of the others."""
        epochs, patience = self.settings.epochs, self.settings.patience
        watch = ValidationPredictions(self.trainer, examples[held], patience or epochs)
        best = BestWeights(watch)
        self.trainer.fit(examples, fitted, epochs, watch, [best, *self.callbacks])
        self.best.append(watch.best)
        self.members.append(best.weights)
        return watch.found[watch.best - 1]

    def refit(self, examples):
        """Trains on all rows."""
        epochs, rows = max(1, round(np.median(self.best))), np.arange(len(examples))
        self.trainer.fit(examples, rows, epochs, None, self.callbacks)
        self.members.append(self.trainer.network.get_weights())

    def log_probabilities(self, examples):
        """Of `Examples`, `(n, classes)`."""
        said = []
        for weights in self.members:
            self.trainer.network.set_weights(weights)
            said.append(self.trainer.log_probabilities(examples))
        return special.log_softmax(np.mean(said, axis=0), axis=1)

    def logits(self, sides):
        """The same inside a graph.

        Args:
            sides: tensors by name: `"image"`, `"token_ids"`, `"text"`.

        Returns:
            A tensor `(n, classes)`.
        """
        network = build_averaged_network(self.trainer.network, self.members)
        return network({name: sides[name] for name in network.input})
