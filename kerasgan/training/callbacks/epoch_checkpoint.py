"""A checkpoint after each epoch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras

from kerasgan.training.checkpoints import save_checkpoint


class EpochCheckpoint(keras.callbacks.Callback):
    """Saves variables after each epoch, completely or not at all.

    `keras.callbacks.BackupAndRestore` knows one optimizer, keeps no earlier checkpoint
    and deletes its own when training ends. `load_checkpoint` restores.

    Args:
        directory: of the checkpoints.
        variables: always in the same order.
        values: returns a dict of numbers that are stored beside the variables.
    """

    def __init__(
        self,
        directory: str | Path,
        variables: Sequence[keras.Variable],
        values: Callable[[], dict[str, float]] = dict,
    ):
        super().__init__()
        self.directory, self.variables, self.values = directory, variables, values

    def on_epoch_end(self, epoch, logs=None):
        """Saves a checkpoint."""
        save_checkpoint(self.directory, epoch + 1, self.variables, **self.values())
