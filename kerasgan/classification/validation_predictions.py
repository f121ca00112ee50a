"""The predictions for validation data after each epoch."""

from collections.abc import Mapping

import keras
import numpy as np
from scipy import special


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
        logits = predict(self.model, self.inputs, self.batch_size)
        predictions = special.log_softmax(logits, axis=1)
        true_class = predictions[np.arange(len(predictions)), self.labels]
        self.log_probabilities.append(predictions)
        logs["val_loss"] = -true_class.mean()
        logs["val_accuracy"] = (predictions.argmax(1) == self.labels).mean()


def predict(
    model: keras.Model, inputs: Mapping[str, np.ndarray], batch_size: int
) -> np.ndarray:
    """Computes the outputs of a model, on this process alone.

    Args:
        model: a compiled model.
        inputs: arrays by the name of the model's input.
        batch_size: number of rows that are predicted at once.

    Returns:
        An array `(n, ...)`.
    """
    if model.distribute_strategy.num_replicas_in_sync == 1:
        return model.predict(inputs, batch_size=batch_size, verbose=0)
    count = len(next(iter(inputs.values())))
    batches = [
        {name: array[start : start + batch_size] for name, array in inputs.items()}
        for start in range(0, count, batch_size)
    ]
    return np.concatenate(
        [keras.ops.convert_to_numpy(model(batch, training=False)) for batch in batches]
    )
