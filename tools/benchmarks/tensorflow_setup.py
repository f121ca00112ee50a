"""What the contenders in TensorFlow share."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks import Unavailable
from kerasgan.encoders.precision import supports_bfloat16


def set_precision(precision: str) -> None:
    """Sets Keras's dtype policy.

    Args:
        precision: `"float32"` or `"mixed_bfloat16"`.

    Raises:
        Unavailable: the hardware would emulate it, slowly.
    """
    if precision != "float32" and not supports_bfloat16():
        raise Unavailable("no hardware support of bfloat16")
    keras.config.set_dtype_policy(precision)


def has_gpu() -> bool:
    """Returns whether TensorFlow finds a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def repeated(
    step: Callable[[], Any], steps: int, amount_of_step: float
) -> Callable[[], float]:
    """Returns a function that makes steps, and waits for the last one.

    Args:
        step: returns a number or a tensor.
        steps: number of steps.
        amount_of_step: what a step does, such as a number of images.
    """

    def run():
        for _ in range(steps):
            last = step()
        np.asarray(last)  # a GPU computes while Python goes on
        return steps * amount_of_step

    return run
