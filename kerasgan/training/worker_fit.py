"""`fit` under `MultiWorkerMirroredStrategy`, on batches of several tensors."""

from typing import Any

import tensorflow as tf

from kerasgan.training.replicas import gatherable, is_multi_worker


class WorkerFit:
    """A base class beside `keras.Model` whose `fit` runs with several workers.

    Before the first step Keras computes the mean of a batch over the workers, to learn
    its shapes, which TensorFlow refuses for a dict or tuple. This takes the shapes from
    the worker's own share. A `train_step` returns its metrics through `gatherable`.
    """

    distribute_strategy: Any

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Trains one step, as Keras does."""
        logs = super().train_step(data)  # type: ignore[misc]
        return {name: gatherable(value) for name, value in logs.items()}

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Evaluates one batch, as Keras does."""
        logs = super().test_step(data)  # type: ignore[misc]
        return {name: gatherable(value) for name, value in logs.items()}

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        strategy = self.distribute_strategy
        if iterator is None or not is_multi_worker(strategy):
            return super()._maybe_symbolic_build(iterator, data_batch)
        for *_, batches in iterator:
            data_batch = tf.nest.map_structure(
                lambda value: strategy.experimental_local_results(value)[0],
                next(batches),
            )
            break
        with strategy.scope():
            self._symbolic_build(data_batch=data_batch)
