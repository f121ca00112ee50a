"""Training batches that tf.data service reads and decodes."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from kerasgan.data.decoding_service import Batch, require_service, served_batches
from kerasgan.errors import JobError
from kerasgan.gan.pair_dataset import StoredPairDataset

BATCHES_PER_JOB = 4096  # at least; a job of the service takes seconds to start


class ServedPairDataset(StoredPairDataset):
    """Images and their captions, read and decoded in the workers of a service.

    The batches are those of `StoredPairDataset`, in the same order. Captions are
    tokenized in this process.

    Args:
        address: of the dispatcher, such as "grpc://host:5050".
        *args: see `StoredPairDataset`.
        **kwargs: see `StoredPairDataset`.

    Raises:
        UserError: nothing listens at the address.
    """

    def __init__(self, address: str, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        require_service(address)
        self.address = address
        self._error: Exception | None = None

    def batches(
        self, batch_size: int, seed: int, first_epoch: int = 1
    ) -> tf.data.Dataset:
        """See `PairDataset`."""
        signature = {
            "image": tf.TensorSpec((batch_size, *self.images.shape[1:]), tf.uint8),
            "caption": tf.TensorSpec((batch_size,), tf.string),
        }
        dataset = tf.data.Dataset.from_generator(
            lambda: self._served(batch_size, seed, first_epoch),
            output_signature=signature,
        )
        return dataset.map(self._tokenize).prefetch(tf.data.AUTOTUNE)

    def check(self) -> None:
        """See `PairDataset`; also raises what the service raised."""
        if isinstance(self._error, JobError):
            raise self._error
        super().check()

    def _served(self, batch_size: int, seed: int, first_epoch: int) -> Iterator[Batch]:
        try:
            num_epochs = -(-BATCHES_PER_JOB // self.steps(batch_size))
            for first in itertools.count(first_epoch, num_epochs):
                epochs = range(first, first + num_epochs)
                orders = (self._order(batch_size, seed, epoch) for epoch in epochs)
                rows, captions = (
                    np.reshape(values, (-1, batch_size))
                    for values in zip(*orders, strict=True)
                )
                yield from served_batches(self.address, self.images, rows, captions)
        except Exception as error:  # TensorFlow would only keep its text
            self._error = error
            raise

    def _tokenize(self, batch):
        if self.num_captions is None:
            return {"image": batch["image"]}
        return {"image": batch["image"], "token_ids": self._token_ids(batch["caption"])}
