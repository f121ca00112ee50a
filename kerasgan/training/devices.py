"""The devices that training runs on: the CPU, one GPU or several, or a TPU."""

from typing import Any

import keras
import tensorflow as tf

from kerasgan.errors import UserError


def distribution_strategy(device: str = "auto") -> tf.distribute.Strategy:
    """Chooses a `tf.distribute.Strategy`.

    Args:
        device: `"cpu"`, `"gpu"` (all visible GPUs), `"tpu"`, or `"auto"`: the GPUs if
            there are any, otherwise the CPU.

    Returns:
        A strategy; `MirroredStrategy` for several GPUs.

    Raises:
        UserError: the device is not available.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if device == "tpu":
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        except (ValueError, tf.errors.NotFoundError) as error:
            raise UserError(f"No TPU can be reached: {error}") from None
        return tf.distribute.TPUStrategy(resolver)
    if device == "gpu" and not gpus:
        raise UserError("training.device is gpu, but TensorFlow finds no GPU.")
    if device == "cpu" or not gpus:
        return tf.distribute.OneDeviceStrategy("/cpu:0")
    if len(gpus) == 1:
        return tf.distribute.OneDeviceStrategy("/gpu:0")
    return tf.distribute.MirroredStrategy()


def can_jit_compile(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether XLA is worthwhile on a strategy.

    XLA halves the speed of convolutions on a CPU, and Keras cannot compile a step over
    several devices.

    Args:
        strategy: the result of `distribution_strategy`.
    """
    is_single = strategy.num_replicas_in_sync == 1
    return is_single and "GPU" in strategy.extended.worker_devices[0].upper()


def num_replicas() -> int:
    """Returns the number of replicas of the current strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def global_batch_size(batch: tf.Tensor) -> tf.Tensor:
    """Returns the number of images of a step over all replicas, a float scalar.

    Args:
        batch: the images of one replica, as many as on each other one.
    """
    return tf.cast(tf.shape(batch)[0] * num_replicas(), tf.float32)


def gatherable(metric: tf.Tensor) -> tf.Tensor:
    """Gives a metric the shape that a training step has to return.

    Args:
        metric: a scalar.

    Returns:
        The scalar; with shape `(1,)` under `MultiWorkerMirroredStrategy`, which cannot
        gather scalars (tensorflow/tensorflow#72388).
    """
    strategy = tf.distribute.get_strategy()
    is_multi_worker = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return tf.reshape(metric, (1,)) if is_multi_worker else metric


class ReplicaSeedGenerator(keras.random.SeedGenerator):
    """A `SeedGenerator` with a different seed for each replica of a strategy.

    Its state is the same on all replicas. Replica 0 gets Keras's own seeds, so that one
    device draws the same numbers as with `keras.random.SeedGenerator`.
    """

    def next(self, ordered: bool = True) -> Any:
        """Returns the next seed, a tensor `(2,)`."""
        seed = super().next(ordered)
        context = tf.distribute.get_replica_context()
        replica = 0 if context is None else context.replica_id_in_sync_group
        # Far apart, so that no replica repeats a run with the next seed.
        return seed + [tf.cast(replica, seed.dtype) * 2**20, 0]
