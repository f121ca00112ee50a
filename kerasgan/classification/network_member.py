"""Ensemble members that are neural networks."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from kerasgan.classification.ensemble_member import EnsembleMember
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.network_trainer import NetworkTrainer
from kerasgan.classification.networks import build_averaged_network
from kerasgan.classification.scores import to_scores
from kerasgan.config.settings import ClassifierConfig


class NetworkMember(EnsembleMember):
    """A network of `build_classifier` that is trained for its own number of epochs.

    The networks that are trained on folds are kept. They and the last network, which is
    trained on all examples, are averaged (bagging; Breiman 1996, "Bagging predictors").

    Args:
        modality: `"image"`, `"text"`, or `"pair"` for a network that needs both.
        network: the network.
        config: settings of the training.
        callbacks: Keras callbacks.

    Attributes:
        best_epochs: the best number of epochs for each fold.
        fitted_weights: the weights of each network that was trained.
    """

    def __init__(
        self,
        modality: str,
        network: keras.Model,
        config: ClassifierConfig,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ):
        self.modality, self.callbacks = modality, callbacks
        self.trainer = NetworkTrainer(network, config)
        self.best_epochs: list[int] = []
        self.fitted_weights: list[list[np.ndarray]] = []

    def predict_held_out(
        self,
        examples: PairExamples,
        train_rows: Sequence[int] | np.ndarray,
        validation_rows: Sequence[int] | np.ndarray,
    ) -> np.ndarray:
        """See `EnsembleMember`."""
        log_probabilities, epochs = self.trainer.fit_with_early_stopping(
            examples, train_rows, validation_rows, self.callbacks
        )
        self.best_epochs.append(epochs)
        self.fitted_weights.append(self.trainer.network.get_weights())
        return log_probabilities

    def refit(self, examples: PairExamples) -> None:
        """Trains on all examples, for the median of the best numbers of epochs."""
        epochs = max(1, round(np.median(self.best_epochs)))
        rows = np.arange(len(examples))
        self.trainer.fit(examples, rows, epochs, self.callbacks)
        self.fitted_weights.append(self.trainer.network.get_weights())

    def predict_log_proba(self, examples: PairExamples) -> np.ndarray:
        """See `EnsembleMember`."""
        predictions = []
        for weights in self.fitted_weights:
            self.trainer.network.set_weights(weights)
            predictions.append(self.trainer.predict_log_proba(examples))
        mean = np.mean(predictions, axis=0)
        return to_scores(mean, self.trainer.config.multi_label)

    def logits(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `EnsembleMember`."""
        network = build_averaged_network(
            self.trainer.network, self.fitted_weights, self.trainer.config.multi_label
        )
        return network({name: inputs[name] for name in network.input})
