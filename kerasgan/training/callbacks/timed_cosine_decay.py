"""How fast a stage of training learns, and when it ends."""

import math
import time

import keras


class TimedCosineDecay(keras.callbacks.Callback):
    """Lowers the learning rate along half a cosine, to nothing when the epochs or the
    minutes are used up, and stops then.

    Args:
        epochs: of the stage, as given to `fit`.
        minutes: of the stage, or None. With minutes what is learnt depends on the
            machine's speed.
    """

    def __init__(self, epochs, minutes=None):
        super().__init__()
        self.epochs, self.minutes = epochs, minutes

    def on_train_begin(self, logs=None):
        self.start, self.epoch = time.perf_counter(), 0
        self.optimizers = [
            getattr(self.model, name)
            for name in ("optimizer", "g_optimizer", "d_optimizer")
            if getattr(self.model, name, None) is not None
        ]
        self.rates = [float(one.learning_rate) for one in self.optimizers]

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        used = (self.epoch + batch / (self.params["steps"] or 1)) / self.epochs
        if self.minutes:
            spent = (time.perf_counter() - self.start) / (60 * self.minutes)
            self.model.stop_training |= spent >= 1
            used = max(used, spent)
        left = (1 + math.cos(math.pi * min(used, 1))) / 2
        for optimizer, rate in zip(self.optimizers, self.rates):
            optimizer.learning_rate = rate * left
