"""Appends the metrics of each epoch to a JSON Lines file."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasgan.files import append_json_line


class JsonLinesLogger(keras.callbacks.Callback):
    """Appends one JSON object an epoch: `epoch`, counted from 1, and its metrics.

    `keras.callbacks.CSVLogger` cannot add a column later, and a line that a killed
    process left half-written would spoil its file.

    Args:
        path: of the file; it is made where missing.
        **fields: further entries of each line, before the metrics.
    """

    def __init__(self, path: str | Path, **fields: Any):
        super().__init__()
        self.path, self.fields = Path(path), fields

    def on_epoch_end(self, epoch, logs=None):
        """Appends a line."""
        metrics = {name: float(np.ravel(v)[0]) for name, v in (logs or {}).items()}
        append_json_line(self.path, {**self.fields, "epoch": epoch + 1, **metrics})
