"""How exactly networks compute."""

import contextlib
import json

import keras
import tensorflow as tf

from kerasgan.layers.traversal import find_layers


def resolve_precision(precision):
    """What `"auto"` stands for on this machine; others are what they are."""
    if precision != "auto":
        return precision
    return "mixed_bfloat16" if supports_bfloat16() else "float32"


@contextlib.contextmanager
def dtype_policy_scope(precision):
    """Layers that are made inside compute in `"float32"`, in `"mixed_bfloat16"`, or for
    `"auto"` in the second where it is the faster."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(resolve_precision(precision))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def supports_bfloat16():
    """Whether this machine multiplies in bfloat16, and does not imitate it, slowly:
    GPUs since Ampere, or processors that say so."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = map(tf.config.experimental.get_device_details, gpus)
        return min(each.get("compute_capability", (0, 0)) for each in details) >= (8, 0)
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            words = set(file.read().split())
    except OSError:  # not Linux
        return False
    return bool(words & {"avx512_bf16", "amx_bf16"})


def to_float32(network):
    """A copy that computes in float32, whatever `network` was trained in, so that its
    answers do not depend on the machine."""
    config = json.loads(network.to_json().replace("mixed_bfloat16", "float32"))
    config.pop("compile_config", None)  # it would have, and save, an optimizer
    with dtype_policy_scope("float32"):  # for layers that a network makes itself
        copy = keras.saving.deserialize_keras_object(config)
    copy.set_weights(network.get_weights())
    for layer in find_layers(copy, keras.layers.Normalization):
        layer.finalize_state()  # takes up what it was adapted to
    return copy
