"""What a training step needs so that it is the same on any number of replicas.

A replica has an equal share of each batch. Random numbers are drawn for the whole
batch, and each replica takes its rows; what compares rows of a batch with each other
gathers them from all replicas.
"""

import contextlib
from collections.abc import Callable, Iterator

import tensorflow as tf


def num_replicas() -> int:
    """Returns the number of replicas of the current strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def global_batch_size(batch: tf.Tensor) -> tf.Tensor:
    """Returns the number of rows of a step over all replicas, a float scalar.

    Args:
        batch: the rows of one replica, as many as on each other one.
    """
    return tf.cast(tf.shape(batch)[0] * num_replicas(), tf.float32)


def draw_rows(draw: Callable[[int | tf.Tensor], tf.Tensor], count: int) -> tf.Tensor:
    """Draws random numbers for the rows of this replica.

    Args:
        draw: draws for a number of rows, with the same result on all replicas.
        count: rows of this replica.

    Returns:
        `(count, ...)`.
    """
    replicas = num_replicas()
    if replicas == 1:
        return draw(count)
    start = first_row(count)
    return draw(count * replicas)[start : start + count]


def first_row(count: int | tf.Tensor) -> int | tf.Tensor:
    """Returns the number of this replica's first row in the batch of all replicas.

    Args:
        count: rows of a replica.
    """
    context = tf.distribute.get_replica_context()
    if num_replicas() == 1 or context is None:
        return 0
    return context.replica_id_in_sync_group * count


def gather_rows(tensor: tf.Tensor) -> tf.Tensor:
    """Concatenates the rows of all replicas, differentiably.

    Args:
        tensor: `(n, ...)`.

    Returns:
        `(n * replicas, ...)`, the same on all replicas.
    """
    context = tf.distribute.get_replica_context()
    if num_replicas() == 1 or context is None:
        return tensor
    # `all_gather` fails in the step of a worker with one device ("destinations can not
    # be empty"), so that the rows are added to the zeros of the other replicas.
    tensor = tf.convert_to_tensor(tensor)
    count = tf.shape(tensor)[0]
    start = first_row(count)
    paddings = [[start, (num_replicas() - 1) * count - start]]
    paddings += [[0, 0]] * (len(tensor.shape) - 1)
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.pad(tensor, paddings))


def is_multi_worker(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether a strategy spans several processes.

    Args:
        strategy: see `distribution_strategy`.
    """
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def gatherable(metric: tf.Tensor) -> tf.Tensor:
    """Gives a metric the shape that a training step has to return.

    Args:
        metric: a scalar.

    Returns:
        The scalar; with shape `(1,)` under `MultiWorkerMirroredStrategy`, which cannot
        gather scalars (tensorflow/tensorflow#72388).
    """
    if is_multi_worker(tf.distribute.get_strategy()):
        return tf.reshape(metric, (1,))
    return metric


def shard_batches(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Lets each worker take its share of every batch, not of the files.

    Args:
        dataset: batches over all replicas, in an order that is the same on all workers.
    """
    options = tf.data.Options()
    policy = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_distribute.auto_shard_policy = policy
    return dataset.with_options(options)


def agreed(strategy: tf.distribute.Strategy, value: float) -> float:
    """Returns the mean of a number over all workers, so that all decide alike.

    Args:
        strategy: see `distribution_strategy`; without several workers the number is
            returned as it is.
        value: for example a time. All workers must call this.
    """
    if not is_multi_worker(strategy):
        return value
    with quiet_collectives():
        values = strategy.run(lambda: tf.constant(value, tf.float32))
        return float(strategy.reduce("MEAN", values, axis=None))


@contextlib.contextmanager
def quiet_collectives() -> Iterator[None]:
    """Hides TensorFlow's warning that collectives outside of a step are slow."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
