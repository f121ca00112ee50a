"""The predictions for validation data after each epoch."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasgan.classification.scores import accuracy, log_loss, to_scores
from kerasgan.data.shards import explain_read_errors
from kerasgan.data.stored_arrays import StoredImages, gather_function
from kerasgan.training.replicas import agreed


class ValidationPredictions(keras.callbacks.Callback):
    """Predicts validation data after each epoch, and adds their loss to the logs.

    `validation_data` of `fit` gives losses only; the ensemble needs the predictions of
    the best epoch as well. Other callbacks, such as `keras.callbacks.EarlyStopping`,
    must come after this one in the list.

    Args:
        inputs: arrays by the name of the model's input.
        labels: `(n,)`, or `(n, classes)` if a pair has several labels.
        batch_size: number of rows that are predicted at once.
        sample_weight: weights `(n,)` in the loss, or None.

    Attributes:
        log_probabilities: a float32 array `(n, classes)` for each epoch; log-odds if a
            pair has several labels.
    """

    def __init__(
        self,
        inputs: Mapping[str, np.ndarray],
        labels: np.ndarray,
        batch_size: int = 256,
        sample_weight: np.ndarray | None = None,
    ):
        super().__init__()
        self.inputs, self.labels, self.batch_size = inputs, labels, batch_size
        self.sample_weight = sample_weight
        self.log_probabilities: list[np.ndarray] = []

    def on_train_begin(self, logs=None):
        """Forgets the predictions of an earlier training."""
        self.log_probabilities = []

    def on_epoch_end(self, epoch, logs=None):
        """Adds `val_loss` and `val_accuracy` to the logs."""
        logits = predict(self.model, self.inputs, self.batch_size)
        losses, _ = log_loss(logits, self.labels)
        scores = to_scores(logits, multi_label=self.labels.ndim == 2)
        self.log_probabilities.append(scores)
        loss = np.average(losses, weights=self.sample_weight)
        # The mean over the classes too, if each is a decision, as the training loss.
        loss *= len(losses) / self.labels.size
        logs["val_loss"] = agreed(self.model.distribute_strategy, loss)
        logs["val_accuracy"] = accuracy(logits, self.labels)


def predict(
    model: keras.Model, inputs: Mapping[str, Any], batch_size: int
) -> np.ndarray:
    """Computes the outputs of a model, on this process alone.

    Args:
        model: a compiled model.
        inputs: the result of `PairExamples.inputs`, in memory or on the disk.
        batch_size: number of rows that are predicted at once.

    Returns:
        An array `(n, ...)`.
    """
    is_stored = any(isinstance(array, StoredImages) for array in inputs.values())
    is_replicated = model.distribute_strategy.num_replicas_in_sync > 1
    if not is_stored and not is_replicated:
        return model.predict(inputs, batch_size=batch_size, verbose=0)
    functions = {name: gather_function(array) for name, array in inputs.items()}
    count = len(next(iter(inputs.values())))
    batches = tf.data.Dataset.range(count).batch(batch_size)
    batches = batches.map(
        lambda rows: {name: gather(rows) for name, gather in functions.items()},
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    with explain_read_errors(inputs.get("image")):
        if not is_replicated:
            return model.predict(batches.prefetch(2), verbose=0)
        outputs = (model(batch, training=False) for batch in batches)
        return np.concatenate([keras.ops.convert_to_numpy(array) for array in outputs])
