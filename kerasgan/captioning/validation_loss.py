"""The loss of a captioner on validation images."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.training.replicas import agreed


class ValidationLoss(keras.callbacks.Callback):
    """Adds `val_loss` to the logs, the mean over all images.

    Each process computes it alone, because the last batch has no equal shares for
    several replicas. Other callbacks, such as `keras.callbacks.EarlyStopping`, must
    come after this one in the list.

    Args:
        batches: the result of `caption_batches`.
    """

    def __init__(self, batches: tf.data.Dataset):
        super().__init__()
        self.batches = batches

    def on_train_begin(self, logs=None):
        """Prepares a graph."""
        self.loss = tf.function(
            lambda batch: self.model.compute_loss(
                batch, y_pred=self.model(batch, training=False), training=False
            )
        )

    def on_epoch_end(self, epoch, logs=None):
        """Computes the loss."""
        losses, counts = [], []
        for batch in self.batches:
            losses.append(float(self.loss(batch)))
            counts.append(len(batch["token_ids"]))
        mean = float(np.average(losses, weights=counts))
        logs["val_loss"] = agreed(self.model.distribute_strategy, mean)
