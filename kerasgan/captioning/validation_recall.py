"""Recall of a dual encoder on validation images."""

import keras
import numpy as np

from kerasgan.data.stored_arrays import StoredImages
from kerasgan.training.replicas import agreed

RANK = 10


class ValidationRecall(keras.callbacks.Callback):
    """Adds `val_recall` to the logs: recall at 10 in percent.

    It is the mean of both directions, image to caption and caption to image, with the
    first caption of each image.

    Args:
        images: what the image encoder takes, `(n, ...)`.
        token_ids: int32 `(n, k, length)`.
    """

    def __init__(self, images: np.ndarray | StoredImages, token_ids: np.ndarray):
        super().__init__()
        self.images, self.token_ids = images, token_ids[:, 0]

    def on_epoch_end(self, epoch, logs=None):
        """Computes the recall."""
        images = self.model.embed_images(self.images)
        cosines = images @ self.model.embed_token_ids(self.token_ids).T
        matched = np.diag(cosines)
        recalls = [
            ((cosines > matched).sum(0) < RANK).mean(),
            ((cosines > matched[:, None]).sum(1) < RANK).mean(),
        ]
        recall = 100 * float(np.mean(recalls))
        logs["val_recall"] = agreed(self.model.distribute_strategy, recall)
