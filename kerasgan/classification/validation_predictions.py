"""The predictions for validation data after each epoch."""

from collections.abc import Mapping

import keras
import numpy as np
from scipy import special

from kerasgan.classification.examples import predict_in_batches


class ValidationPredictions(keras.callbacks.Callback):
    """Predicts validation data after each epoch, and adds their loss to the logs.

    `validation_data` of `fit` gives losses only; the ensemble needs the predictions of
    the best epoch as well. Other callbacks, such as `keras.callbacks.EarlyStopping`,
    must come after this one in the list.

    Args:
        inputs: arrays by the name of the model's input.
        labels: int `(n,)`.
        batch_size: number of rows that are predicted at once.

    Attributes:
        log_probabilities: a float32 array `(n, classes)` for each epoch.
    """

    def __init__(
        self,
        inputs: Mapping[str, np.ndarray],
        labels: np.ndarray,
        batch_size: int = 256,
    ):
        super().__init__()
        self.inputs, self.labels, self.batch_size = inputs, labels, batch_size
        self.log_probabilities: list[np.ndarray] = []

    def on_train_begin(self, logs=None):
        """Forgets the predictions of an earlier training."""
        self.log_probabilities = []

    def on_epoch_end(self, epoch, logs=None):
        """Adds `val_loss` and `val_accuracy` to the logs."""
        logits = predict_in_batches(self.model, self.inputs, self.batch_size)
        predictions = special.log_softmax(logits, axis=1)
        true_class = predictions[np.arange(len(predictions)), self.labels]
        self.log_probabilities.append(predictions)
        logs["val_loss"] = -true_class.mean()
        logs["val_accuracy"] = (predictions.argmax(1) == self.labels).mean()
