"""Trains a network of `build_classifier`, with early stopping."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from kerasgan.classification.examples import PairExamples, training_batches
from kerasgan.classification.scores import to_scores
from kerasgan.classification.temperature import fit_temperature
from kerasgan.classification.validation_predictions import (
    ValidationPredictions,
    predict,
)
from kerasgan.config.settings import ClassifierConfig
from kerasgan.data.shards import explain_read_errors
from kerasgan.training.callbacks.stop_on_non_finite import StopOnNonFinite
from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay
from kerasgan.training.devices import can_jit_compile, uses_xla
from kerasgan.training.memory_errors import explain_memory_errors
from kerasgan.training.replicas import shard_batches
from kerasgan.training.worker_fit import WorkerFit

PREDICT_BATCH_SIZE = 256


class _WorkerModel(WorkerFit, keras.Model):
    """A functional model that several workers can train."""


class NetworkTrainer:
    """Trains a network several times, each time from the same initial weights.

    The network is compiled once: tracing the graph of an LSTM takes as long as many
    epochs.

    Args:
        network: the result of `build_classifier`. It is trained in place, and has no
            optimizer when it is saved.
        config: epochs, batch size and the other settings of the training.

    Attributes:
        temperature: by which the logits are divided; 1 until `fit_single` fits it.
    """

    def __init__(self, network: keras.Model, config: ClassifierConfig):
        self.network, self.config = network, config
        self.temperature = 1.0
        self.model = _WorkerModel(network.input, network.output, name="trained")
        self.model.compile(
            keras.optimizers.Adam(config.learning_rate),
            **_loss_and_metrics(config.multi_label),
            jit_compile=can_jit_compile(tf.distribute.get_strategy(), network),
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self.variables = [*self.model.weights, *self.model.optimizer.variables]
        self.initial_values = [variable.numpy() for variable in self.variables]

    def fit(
        self,
        examples: PairExamples,
        rows: Sequence[int] | np.ndarray,
        epochs: int,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        """Trains the network from its initial weights.

        Args:
            examples: see `training_batches`.
            rows: see `training_batches`.
            epochs: maximum number of epochs.
            callbacks: Keras callbacks.

        Raises:
            JobError: the loss is not finite.
        """
        for variable, value in zip(self.variables, self.initial_values, strict=True):
            variable.assign(value)
        policy = self.network.dtype_policy.name
        callbacks = [*callbacks, StopOnNonFinite(self.network.name, policy)]
        if self.config.minutes:
            callbacks.append(TimedCosineDecay(epochs, self.config.minutes))
        batches = training_batches(
            *(examples, rows, self.network, self.config.batch_size),
            trim_padding=not uses_xla(self.model),
            replicas=self.model.distribute_strategy.num_replicas_in_sync,
            sample_weight=self._sample_weight(examples),
        )
        batches = shard_batches(batches)
        place = self.network.name, "classifier.batch_size"
        with (
            explain_read_errors(examples.images),
            explain_memory_errors(self.model, batches, *place),
        ):
            self.model.fit(
                batches, epochs=epochs, verbose=0, shuffle=False, callbacks=callbacks
            )

    def fit_with_early_stopping(
        self,
        examples: PairExamples,
        train_rows: Sequence[int] | np.ndarray,
        validation_rows: Sequence[int] | np.ndarray,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> tuple[np.ndarray, int]:
        """Trains the network, and leaves it with the weights of the best epoch.

        Training stops after `config.patience` epochs without a lower validation loss;
        if that is None, after `config.epochs`.

        Args:
            examples: see `training_batches`.
            train_rows: indices of the examples for training.
            validation_rows: indices of the examples for validation.
            callbacks: Keras callbacks, whose logs have `val_loss` and `val_accuracy`.

        Returns:
            Log-probabilities or log-odds `(n, classes)` of the validation examples
            after the best epoch, and the number of that epoch, from 1.

        Raises:
            JobError: the loss is not finite.
        """
        epochs, held_out = self.config.epochs, examples[validation_rows]
        validation = ValidationPredictions(
            held_out.inputs(self.network),
            held_out.labels,
            PREDICT_BATCH_SIZE,
            self._sample_weight(examples, validation_rows),
        )
        early_stopping = keras.callbacks.EarlyStopping(
            monitor="val_loss",
            # Keras stops at its patience, and this setting is the last that continues.
            patience=(self.config.patience or epochs) + 1,
            mode="min",
            restore_best_weights=True,
        )
        callbacks = [validation, early_stopping, *callbacks]
        self.fit(examples, train_rows, epochs, callbacks)
        best_epoch = early_stopping.best_epoch
        return validation.log_probabilities[best_epoch], best_epoch + 1

    def fit_single(
        self,
        examples: PairExamples,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Trains a network that is used alone.

        A share `config.validation` of the examples, in whole groups, is held out for
        early stopping and the temperature. If `config.patience` is None, the network
        trains on all examples, and keeps the weights of the last epoch and the
        temperature 1, which is also that of several labels.

        Args:
            examples: see `training_batches`.
            callbacks: Keras callbacks.

        Returns:
            Indices of the held-out examples, and the predictions of them, see
            `predict_log_proba`; None without.

        Raises:
            JobError: the loss is not finite.
            UserError: all examples are of one group.
        """
        self.temperature = 1.0
        if self.config.patience is None:
            rows = np.random.default_rng(0).permutation(len(examples))
            self.fit(examples, rows, self.config.epochs, callbacks)
            return None
        train_rows, held_out = examples.hold_out(self.config.validation)
        predictions, _ = self.fit_with_early_stopping(
            examples, train_rows, held_out, callbacks
        )
        if not self.config.multi_label:
            self.temperature = fit_temperature(
                predictions,
                examples.labels[held_out],
                self._sample_weight(examples, held_out),
            )
        return held_out, predictions

    def predict_log_proba(self, examples: PairExamples) -> np.ndarray:
        """Returns log-probabilities or log-odds, float32 `(n, classes)`.

        Args:
            examples: with `token_ids`.
        """
        inputs = examples.inputs(self.network)
        logits = predict(self.model, inputs, PREDICT_BATCH_SIZE)
        return to_scores(logits / self.temperature, self.config.multi_label)

    def _sample_weight(self, examples, rows=slice(None)):
        return examples.balanced_weight[rows] if self.config.balance else None


def _loss_and_metrics(multi_label):
    if multi_label:  # each class is a decision of its own
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        metric = keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        metric = "accuracy"
    return {"loss": loss, "metrics": [metric]}
