"""A progress bar on standard error."""

import time
from collections.abc import Sequence

import keras
import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

SECONDS_BETWEEN_UPDATES = 0.5  # reading a metric waits for the device


class ProgressBar(keras.callbacks.Callback):
    """Shows the progress of an epoch, and a line for each finished epoch.

    `keras.callbacks.ProgbarLogger` writes to standard output, which the commands keep
    for results.

    Args:
        metrics: names of the metrics that the bar shows.
        show: False shows nothing.
    """

    def __init__(self, metrics: Sequence[str] = (), show: bool = True):
        super().__init__()
        self.metrics = tuple(metrics)
        self.console = Console(stderr=True, quiet=not show)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            redirect_stdout=False,
        )

    def on_train_begin(self, logs=None):
        """Opens the bar."""
        self.progress.start()
        self.task = self.progress.add_task("starting", total=None)

    def on_epoch_begin(self, epoch, logs=None):
        """Resets the bar."""
        self.title = self.description = f"epoch {epoch + 1}/{self.params['epochs']}"
        self.last_update = time.perf_counter()
        self.progress.reset(
            self.task, total=self.params["steps"], description=self.title
        )

    def on_train_batch_end(self, batch, logs=None):
        """Advances the bar."""
        now = time.perf_counter()
        if now - self.last_update > SECONDS_BETWEEN_UPDATES:
            self.last_update = now
            values = [
                f"{name} {np.ravel(logs[name])[0]:.2f}"
                for name in self.metrics
                if name in logs
            ]
            self.description = "  ".join([self.title, *values])
        self.progress.update(self.task, advance=1, description=self.description)

    def on_epoch_end(self, epoch, logs=None):
        """Prints the metrics of the epoch."""
        values = ", ".join(f"{name} {value:.3g}" for name, value in logs.items())
        self.console.print(
            f"epoch {epoch + 1}: {values}", highlight=False, soft_wrap=True
        )

    def on_train_end(self, logs=None):
        """Closes the bar."""
        self.close()

    def close(self) -> None:
        """Closes the bar; call this where `fit` may raise an error."""
        self.progress.stop()
