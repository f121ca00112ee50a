"""Stops training when a loss is not finite."""

import time

import keras
import numpy as np

from kerasgan.errors import JobError

SECONDS_BETWEEN_CHECKS = 1.0  # reading a metric waits for the device
MAX_NAMES = 3  # metrics or weights that a message lists


class StopOnNonFinite(keras.callbacks.Callback):
    """Raises an error when a metric or a weight becomes NaN or infinite.

    `keras.callbacks.TerminateOnNaN` only watches `loss`, and ends `fit` as if training
    had finished.

    Args:
        stage: name of the stage that trains, for the message.
        precision: name of the precision policy, for the message.

    Raises:
        JobError: from `fit`.
    """

    def __init__(self, stage: str, precision: str | None = None):
        super().__init__()
        self.stage, self.precision = stage, precision

    def on_epoch_begin(self, epoch, logs=None):
        """Counts epochs."""
        self.epoch, self.last_check = epoch, time.perf_counter()
        self.step = 0

    def on_train_batch_end(self, batch, logs=None):
        """Checks the running means about once a second."""
        self.step = batch + 1
        if time.perf_counter() - self.last_check > SECONDS_BETWEEN_CHECKS:
            self.last_check = time.perf_counter()
            self._check(logs)

    def on_epoch_end(self, epoch, logs=None):
        """Checks the means of the epoch, and the weights, before they are saved."""
        self._check(logs)
        # A loss is computed before the step changes the weights.
        weights = {weight.path: weight for weight in self.model.trainable_variables}
        self._check({path: weight.numpy() for path, weight in weights.items()})

    def _check(self, values):
        names = [
            name
            for name, value in (values or {}).items()
            if not np.isfinite(value).all()
        ]
        if names:
            place = f"epoch {self.epoch + 1}, step {self.step}"
            names = names[:MAX_NAMES]
            is_reduced = self.precision not in (None, "float32")
            raise JobError(
                f"Training stopped ({self.stage}, {place}, precision"
                f" {self.precision or 'float32'}): not finite: {', '.join(names)}."
                " Checkpoints of earlier epochs are kept. Try a lower learning rate"
                f"{', or precision float32' if is_reduced else ''}."
            )
