"""A time limit for training."""

import time

import keras

from kerasgan.training.replicas import agreed, is_multi_worker


class TimeLimit(keras.callbacks.Callback):
    """Stops training after some minutes, within an epoch if need be.

    Only the time of training steps counts, so this callback comes first in the list of
    callbacks. Adds `seconds`, the training time so far, and, with a batch size,
    `images_per_second` to the logs of an epoch. Several workers stop between epochs, by
    the mean of their clocks.

    Args:
        minutes: the limit, or None.
        elapsed: seconds of training in earlier sessions.
        batch_size: images a step, over all replicas; None leaves out
            `images_per_second`.

    Attributes:
        seconds: training time so far, earlier sessions included.
    """

    def __init__(
        self,
        minutes: float | None = None,
        elapsed: float = 0.0,
        batch_size: int | None = None,
    ):
        super().__init__()
        self.limit = 60 * (minutes or float("inf"))
        self.seconds = elapsed
        self.batch_size = batch_size

    @property
    def is_reached(self) -> bool:
        """Whether the time is used up."""
        return self.seconds >= self.limit

    def on_epoch_begin(self, epoch, logs=None):
        """Starts the clock."""
        self.start, self.steps = time.perf_counter(), 0

    def on_train_batch_end(self, batch, logs=None):
        """Stops training when the limit is reached."""
        self.steps += 1
        if is_multi_worker(self.model.distribute_strategy):
            return
        if self.seconds + time.perf_counter() - self.start >= self.limit:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        """Stops the clock and adds to the logs."""
        strategy = self.model.distribute_strategy
        seconds = agreed(strategy, time.perf_counter() - self.start)
        self.seconds += seconds
        if self.is_reached:
            self.model.stop_training = True
        if self.batch_size:
            logs["images_per_second"] = self.steps * self.batch_size / seconds
        logs["seconds"] = self.seconds
