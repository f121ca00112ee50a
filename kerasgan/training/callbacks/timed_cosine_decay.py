"""A cosine learning rate schedule over epochs or minutes, as a callback."""

import math
import time

import keras

from kerasgan.training.replicas import agreed, is_multi_worker

OPTIMIZERS = ("optimizer", "g_optimizer", "d_optimizer")


class TimedCosineDecay(keras.callbacks.Callback):
    """Lowers the learning rate along half a cosine, then stops training.

    The rate reaches zero when the epochs or the minutes are used up, whichever is
    first. `keras.optimizers.schedules.CosineDecay` counts steps alone. Several workers
    read their clocks between epochs, and take the mean. The minutes begin with the
    second step: the first one is compiled, which can take longer than a short training.

    Args:
        epochs: as given to `fit`.
        minutes: time limit, or None. With a limit the result depends on the speed of
            the machine.
    """

    def __init__(self, epochs: int, minutes: float | None = None):
        super().__init__()
        self.epochs, self.minutes = epochs, minutes

    def on_train_begin(self, logs=None):
        """Remembers the initial learning rates."""
        self.start, self.epoch = None, 0
        self.optimizers = [
            getattr(self.model, name)
            for name in OPTIMIZERS
            if getattr(self.model, name, None) is not None
        ]
        self.initial_rates = [
            float(keras.ops.convert_to_numpy(optimizer.learning_rate))
            for optimizer in self.optimizers
        ]
        self.steps = self.params["steps"]  # None for a dataset of unknown size

    def on_epoch_begin(self, epoch, logs=None):
        """Counts epochs."""
        self.epoch = epoch
        strategy = self.model.distribute_strategy
        self.elapsed = None
        if self.minutes and is_multi_worker(strategy):
            self.elapsed = agreed(strategy, self._seconds())

    def on_train_batch_begin(self, batch, logs=None):
        """Sets the learning rate for a step."""
        share = min(batch / self.steps, 1) if self.steps else 0
        progress = (self.epoch + share) / self.epochs
        if self.minutes:
            elapsed = self.elapsed
            if elapsed is None:
                elapsed = self._seconds()
            elapsed /= 60 * self.minutes
            self.model.stop_training |= elapsed >= 1
            progress = max(progress, elapsed)
        factor = (1 + math.cos(math.pi * min(progress, 1))) / 2
        for optimizer, rate in zip(self.optimizers, self.initial_rates, strict=True):
            optimizer.learning_rate = rate * factor

    def on_train_batch_end(self, batch, logs=None):
        """Starts the clock, and counts steps."""
        self.start = self.start or time.perf_counter()
        self.last_batch = batch

    def on_epoch_end(self, epoch, logs=None):
        """Remembers the number of steps, where Keras did not know it."""
        self.steps = self.steps or self.last_batch + 1

    def _seconds(self):
        return time.perf_counter() - self.start if self.start else 0.0
