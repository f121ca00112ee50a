"""The devices that training runs on: the CPU, GPUs, a TPU, or several machines."""

import contextlib
import functools

import keras
import tensorflow as tf

from kerasgan.config.settings import TrainingConfig
from kerasgan.errors import UserError
from kerasgan.layers.traversal import find_layers
from kerasgan.training.workers import read_tf_config


def use_device(training: TrainingConfig) -> tf.distribute.Strategy:
    """Chooses the devices of a process, before it computes anything.

    Args:
        training: `device` and `strategy`. With the device `cpu` TensorFlow sees no GPU
            from now on.

    Returns:
        The result of `distribution_strategy`.

    Raises:
        UserError: the device is not available, or does not suit the strategy.
    """
    if training.device == "cpu":
        with contextlib.suppress(RuntimeError):  # TensorFlow has begun to compute
            tf.config.set_visible_devices([], "GPU")
    return distribution_strategy(training.device, training.strategy)


def expected_device(training: TrainingConfig) -> str:
    """Returns the kind of device that a training will use, without connecting to it.

    Args:
        training: `device` and `strategy`.

    Returns:
        `"CPU"`, `"GPU"` or `"TPU"`.
    """
    if "tpu" in (training.device, training.strategy):
        return "TPU"
    has_gpu = training.device != "cpu" and tf.config.list_physical_devices("GPU")
    return "GPU" if has_gpu else "CPU"


def distribution_strategy(
    device: str = "auto", strategy: str = "none"
) -> tf.distribute.Strategy:
    """Chooses a `tf.distribute.Strategy`.

    Args:
        device: `"cpu"`, `"gpu"`, `"tpu"`, or `"auto"`: the GPUs if there are any,
            otherwise the CPU.
        strategy: `"none"`: one device, or all GPUs of this machine; `"mirrored"`: all
            devices of this machine; `"multi-worker"`: the processes of the environment
            variable `TF_CONFIG`; `"tpu"`: the cores of a TPU.

    Returns:
        A strategy; `MirroredStrategy` for several GPUs.

    Raises:
        UserError: the device is not available, or does not suit the strategy.
    """
    if "tpu" in (device, strategy):
        if device not in ("auto", "tpu") or strategy not in ("none", "tpu"):
            raise UserError(
                "A TPU needs the device auto or tpu, and the strategy none or tpu."
                f" Received: training.device={device}, training.strategy={strategy}"
            )
        return _tpu_strategy()
    if strategy == "multi-worker":
        read_tf_config()  # raises where TensorFlow would wait or crash
    gpus = [] if device == "cpu" else tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise UserError(
            "training.device is gpu, but TensorFlow finds no GPU. Install the driver"
            " and tensorflow[and-cuda], or use --device cpu."
        )
    if strategy == "multi-worker":
        return _multi_worker_strategy()
    devices = tf.config.list_logical_devices("GPU" if gpus else "CPU")
    if strategy == "mirrored" or (gpus and len(devices) > 1):
        return _mirrored_strategy(*(device.name for device in devices))
    return tf.distribute.OneDeviceStrategy("/gpu:0" if gpus else "/cpu:0")


@functools.cache  # a second one in a process would confuse their collectives
def _mirrored_strategy(*names):
    return tf.distribute.MirroredStrategy(list(names))


@functools.cache  # there is one in a process
def _multi_worker_strategy():
    return tf.distribute.MultiWorkerMirroredStrategy()


@functools.cache
def _tpu_strategy():
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
    except (ValueError, tf.errors.NotFoundError) as error:
        raise UserError(f"No TPU can be reached: {error}") from None
    return tf.distribute.TPUStrategy(resolver)


def can_jit_compile(
    strategy: tf.distribute.Strategy, *networks: keras.layers.Layer
) -> bool:
    """Returns whether XLA is worthwhile on a strategy, and possible for networks.

    XLA halves the speed of convolutions on a CPU, and Keras cannot compile a step over
    several devices. A TPU compiles without being asked, see `uses_xla`.

    Args:
        strategy: the strategy of a training; see `distribution_strategy`.
        *networks: models whose layers are compiled. LSTMs on a GPU use cuDNN, which XLA
            does not have.
    """
    if strategy.num_replicas_in_sync > 1 or device_kind(strategy) != "GPU":
        return False
    layers = (find_layers(network, keras.layers.Layer) for network in networks)
    return all(layer.supports_jit for group in layers for layer in group)


def uses_xla(model: keras.Model) -> bool:
    """Returns whether XLA compiles the steps of a model, so that shapes are static.

    Args:
        model: a compiled model.
    """
    is_tpu = device_kind(model.distribute_strategy) == "TPU"
    return is_tpu or bool(model.compiled and model.jit_compile)


def describe_devices(strategy: tf.distribute.Strategy) -> str:
    """Returns device, replicas and XLA in words.

    Args:
        strategy: see `distribution_strategy`.
    """
    kind, replicas = device_kind(strategy), strategy.num_replicas_in_sync
    names = [
        tf.config.experimental.get_device_details(gpu).get("device_name", "")
        for gpu in (tf.config.list_physical_devices("GPU") if kind == "GPU" else ())
    ]
    has_xla = kind == "TPU" or can_jit_compile(strategy)
    return (
        f"Device: {kind}{f' ({names[0]})' if any(names) else ''}, replicas: {replicas},"
        f" XLA: {'on, where a network allows it' if has_xla else 'off'}"
    )


def device_kind(strategy: tf.distribute.Strategy) -> str:
    """Returns `"CPU"`, `"GPU"` or `"TPU"`.

    Args:
        strategy: see `distribution_strategy`; or TensorFlow's default strategy, which
            takes a GPU if there is one.
    """
    if strategy is tf.distribute.get_strategy() and not tf.distribute.has_strategy():
        return "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    device = strategy.extended.worker_devices[0].upper()
    return next(kind for kind in ("TPU", "GPU", "CPU") if kind in device)
