"""Stops training when a loss is not finite."""

import time

import keras
import numpy as np

from kerasgan.errors import JobError

SECONDS_BETWEEN_CHECKS = 1.0  # reading a metric waits for the device


class StopOnNonFinite(keras.callbacks.Callback):
    """Raises an error when a metric becomes NaN or infinite.

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

    def on_train_batch_end(self, batch, logs=None):
        """Checks the running means about once a second."""
        if time.perf_counter() - self.last_check > SECONDS_BETWEEN_CHECKS:
            self.last_check = time.perf_counter()
            self._check(logs, f"epoch {self.epoch + 1}, step {batch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        """Checks the means of the epoch."""
        self._check(logs, f"epoch {epoch + 1}")

    def _check(self, logs, place):
        names = [
            name for name, value in (logs or {}).items() if not np.isfinite(value).all()
        ]
        if names:
            is_reduced = self.precision not in (None, "float32")
            raise JobError(
                f"Training stopped ({self.stage}, {place}, precision"
                f" {self.precision or 'float32'}): not finite: {', '.join(names)}."
                " Checkpoints of earlier epochs are kept. Try a lower learning rate"
                f"{', or precision float32' if is_reduced else ''}."
            )
