"""Fits one network of classes, and says when to stop."""

import keras
import numpy as np
from scipy import special

from kerasgan.classification.callbacks import BestWeights, ValidationPredictions
from kerasgan.classification.examples import training_batches
from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay


class NetworkTrainer:
    """A network and what trains it, from the same beginning each time; a second
    training is not compiled again, which for an LSTM takes as long as many epochs.

    Args:
        network: what `build_classifier` returns; it is trained in place, and saved
            without an optimizer.
        settings: a `kerasgan.config.settings.ClassifierConfig`.
    """

    def __init__(self, network, settings):
        self.network, self.settings = network, settings
        self.model = keras.Model(network.input, network.output)
        self.model.compile(
            keras.optimizers.Adam(settings.learning_rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,  # XLA halves the speed of convolutions on processors
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self.variables = [*self.model.weights, *self.model.optimizer.variables]
        self.beginning = [variable.numpy() for variable in self.variables]

    def fit(self, examples, rows, epochs, held=None, callbacks=()):
        """Trains the network anew.

        Args:
            examples, rows: see `examples.batches`.
            epochs: at most; fewer where `held` loses patience.
            held: a `ValidationPredictions`, or None.
            callbacks: further Keras callbacks.
        """
        for variable, value in zip(self.variables, self.beginning):
            variable.assign(value)
        if self.settings.minutes:
            callbacks = [*callbacks, TimedCosineDecay(epochs, self.settings.minutes)]
        self.model.fit(
            training_batches(examples, rows, self.network, self.settings.batch_size),
            epochs=epochs,
            verbose=0,
            shuffle=False,
            callbacks=[*([held] if held else []), *callbacks],
        )

    def log_probabilities(self, examples):
        """`(n, classes)` float32."""
        inputs = examples.inputs(self.network)
        logits = self.model.predict(inputs, batch_size=256, verbose=0)
        return special.log_softmax(logits, axis=1)

    def fit_to_best(self, examples, callbacks=()):
        """Trains on all but a part of the examples, which says when to stop, and leaves
        the network as it was then; with no patience, on all and to the last epoch."""
        settings = self.settings
        rows = np.random.default_rng(0).permutation(len(examples))
        if settings.patience is None:
            self.fit(examples, rows, settings.epochs, None, callbacks)
            return
        kept = max(1, round(settings.validation * len(rows)))
        held = ValidationPredictions(self, examples[rows[:kept]], settings.patience)
        best = BestWeights(held)
        callbacks = [best, *callbacks]
        self.fit(examples, rows[kept:], settings.epochs, held, callbacks)
        self.network.set_weights(best.weights)
