"""A line of metrics after each epoch."""

from collections.abc import Callable

import keras
import numpy as np


class EpochPrinter(keras.callbacks.Callback):
    """Prints the metrics of each epoch in one line.

    `keras.callbacks.ProgbarLogger` writes to standard output, which the commands keep
    for results.

    Args:
        progress: called with each line, such as `print`.
        prefix: what each line starts with.
    """

    def __init__(
        self, progress: Callable[[str], None] = print, prefix: str = "  epoch"
    ):
        super().__init__()
        self.progress, self.prefix = progress, prefix

    def on_epoch_end(self, epoch, logs=None):
        """Prints a line."""
        metrics = ", ".join(
            f"{name} {np.ravel(value)[0]:.3f}" for name, value in (logs or {}).items()
        )
        count = f"{epoch + 1}/{self.params['epochs']}"
        self.progress(f"{self.prefix} {count}: {metrics}")
