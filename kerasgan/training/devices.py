"""Where training runs: one processor, several GPUs, or a TPU."""

import keras
import tensorflow as tf

from kerasgan.errors import UserError


def distribution_strategy(device="auto"):
    """Chooses a `tf.distribute.Strategy`.

    Args:
        device: `"cpu"`, `"gpu"` (all that are seen), `"tpu"`, or `"auto"`: GPUs where
            there are some, otherwise the processor.

    Raises:
        UserError: when a device that was asked for is not there.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if device == "tpu":
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        except (ValueError, tf.errors.NotFoundError) as error:
            raise UserError(f"No TPU can be reached: {error}") from None
        return tf.distribute.TPUStrategy(resolver)
    if device == "gpu" and not gpus:
        raise UserError("training.device is gpu, but TensorFlow sees no GPU.")
    if device == "cpu" or not gpus:
        return tf.distribute.OneDeviceStrategy("/cpu:0")
    if len(gpus) == 1:
        return tf.distribute.OneDeviceStrategy("/gpu:0")
    return tf.distribute.MirroredStrategy()


def can_jit_compile(place):
    """Whether XLA pays on a strategy: it halves the speed of convolutions on a
    processor, and Keras cannot compile a step over several devices."""
    one = place.num_replicas_in_sync == 1
    return one and "GPU" in place.extended.worker_devices[0].upper()


class ReplicaSeedGenerator(keras.random.SeedGenerator):
    """A `SeedGenerator` that seeds every replica of a strategy differently.

    Its state is the same on all of them; replica 0 gets Keras's own seeds, so that one
    device draws what it would draw without this class.
    """

    def next(self, ordered=True):
        seed = super().next(ordered)
        context = tf.distribute.get_replica_context()
        replica = 0 if context is None else context.replica_id_in_sync_group
        # Far apart, so that no replica repeats another run's with the next seed.
        return seed + [tf.cast(replica, seed.dtype) * 2**20, 0]
