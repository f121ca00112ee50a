"""What a training step needs so that it is the same on any number of replicas.

A replica has an equal share of each batch. Random numbers are drawn for the whole
batch, and each replica takes its rows; what compares rows of a batch with each other
gathers them from all replicas.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from kerasgan.errors import UserError


def num_replicas() -> int:
    """Returns the number of replicas of the current strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def num_shares() -> int:
    """Returns into how many shares a batch is divided here.

    That is the number of replicas inside of a step, and 1 outside, where a model sees
    all of a batch.
    """
    return num_replicas() if tf.distribute.get_replica_context() else 1


def even_batch_size(batch_size: int, count: int, replicas: int) -> int:
    """Returns the largest batch size of which all replicas have an equal share.

    Args:
        batch_size: the upper limit.
        count: number of images.
        replicas: of the strategy.

    Raises:
        UserError: there are fewer images, or rows of a batch, than replicas.
    """
    even = min(batch_size, count) // replicas * replicas
    if not even:
        raise UserError(
            f"{replicas} replicas need at least as many images in a batch. Received:"
            f" a batch size of {batch_size}, {count} training images"
        )
    return even


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
    shares = num_shares()
    if shares == 1:
        return draw(count)
    return tf.gather(draw(count * shares), first_row(count) + tf.range(count))


def first_row(count: int | tf.Tensor) -> int | tf.Tensor:
    """Returns the number of this replica's first row in the batch of all replicas.

    Args:
        count: rows of a replica.
    """
    if num_shares() == 1:
        return 0
    return tf.distribute.get_replica_context().replica_id_in_sync_group * count


def gather_rows(tensor: tf.Tensor) -> tf.Tensor:
    """Concatenates the rows of all replicas, differentiably.

    Args:
        tensor: `(n, ...)`.

    Returns:
        `(n * replicas, ...)`, the same on all replicas.
    """
    shares = num_shares()
    if shares == 1:
        return tensor
    # `all_gather` fails in the step of a worker with one device ("destinations can not
    # be empty"), so that the rows are added to the zeros of the other replicas.
    tensor = tf.convert_to_tensor(tensor)
    is_own = tf.range(shares) == first_row(1)
    is_own = tf.reshape(is_own, [shares] + [1] * len(tensor.shape))
    rows = tf.where(is_own, tensor[None], tf.zeros_like(tensor[None]))
    return tf.reshape(add_replicas(rows), [-1, *tensor.shape[1:]])


def add_replicas(tensors: Any) -> Any:
    """Adds up tensors over all replicas, differentiably.

    Args:
        tensors: a tensor or a list of tensors, of the same shapes on all replicas.

    Returns:
        The sums, the same on all replicas.
    """
    if num_shares() == 1:
        return tensors
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)


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
