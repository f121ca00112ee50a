"""The numeric precision of models."""

import contextlib
import json
from collections.abc import Iterator

import keras
import tensorflow as tf

from kerasgan.layers.traversal import find_layers


def resolve_precision(precision: str) -> str:
    """Resolves `"auto"` to a dtype policy that suits this machine.

    That is mixed_bfloat16 on processors that multiply in bfloat16. On a GPU it is
    float32, which multiplies in TF32: on an H100 bfloat16 was not faster for networks
    of this size.

    Args:
        precision: `"auto"`, `"float32"` or `"mixed_bfloat16"`.

    Returns:
        `"float32"` or `"mixed_bfloat16"`.
    """
    if precision != "auto":
        return precision
    has_gpu = bool(tf.config.get_visible_devices("GPU"))
    return "mixed_bfloat16" if supports_bfloat16() and not has_gpu else "float32"


def recurrent_precision() -> str | None:
    """Returns the dtype policy of an LSTM under the present global policy.

    On a GPU an LSTM computes in float32. cuDNN's kernel is the one part of the
    captioner that is another program there than on a CPU, where the captioner trains in
    mixed_bfloat16; on an H100 its loss became NaN in the first epoch.

    Returns:
        `"float32"`, or None for the global policy.
    """
    return "float32" if tf.config.list_logical_devices("GPU") else None


@contextlib.contextmanager
def dtype_policy_scope(precision: str) -> Iterator[None]:
    """Sets Keras's global dtype policy inside a `with` block.

    Args:
        precision: see `resolve_precision`.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(resolve_precision(precision))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def supports_bfloat16() -> bool:
    """Returns whether the hardware multiplies in bfloat16.

    GPUs do since Ampere. Processors say so in `/proc/cpuinfo`; others emulate bfloat16,
    slowly.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        details = map(tf.config.experimental.get_device_details, gpus)
        return min(gpu.get("compute_capability", (0, 0)) for gpu in details) >= (8, 0)
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = set(file.read().split())
    except OSError:  # not Linux
        return False
    return bool(flags & {"avx512_bf16", "amx_bf16"})


def to_float32(network: keras.Model) -> keras.Model:
    """Copies a model to float32, so that its outputs do not depend on the machine.

    Args:
        network: a model of any dtype policy.

    Returns:
        A model with the same weights, without an optimizer.
    """
    config = json.loads(network.to_json().replace("mixed_bfloat16", "float32"))
    config.pop("compile_config", None)  # would restore, and save, an optimizer
    with dtype_policy_scope("float32"):  # for layers that a model makes in `__init__`
        copy = keras.saving.deserialize_keras_object(config)
    copy.set_weights(network.get_weights())
    for layer in find_layers(copy, keras.layers.Normalization):
        layer.finalize_state()  # computes mean and variance from its weights
    return copy
