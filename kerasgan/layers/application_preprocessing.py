"""The preprocessing of `keras.applications`, as a layer."""

import functools
import inspect
import re
from types import ModuleType
from typing import Any

import keras
from keras import ops

from kerasgan.layers.registration import register


@functools.cache
def families() -> dict[str, ModuleType]:
    """Returns the `keras.applications` modules with a `preprocess_input`, by name."""
    members = inspect.getmembers(keras.applications, inspect.ismodule)
    return {
        name: module
        for name, module in members
        if name != "imagenet_utils" and hasattr(module, "preprocess_input")
    }


def family_of(name: str) -> str:
    """Returns the name of the module that preprocesses the images of a network.

    `"MobileNetV3Small"` belongs to `"mobilenet_v3"`, `"ResNet50V2"` to `"resnet_v2"`.

    Args:
        name: of a network, as `keras.applications` spells it.
    """
    plain = re.sub(r"^resnet\d+", "resnet", name.lower())
    matches = [
        family for family in families() if plain.startswith(family.replace("_", ""))
    ]
    return max(matches, key=len)


@register
class ApplicationPreprocessing(keras.layers.Layer):
    """Preprocesses images with the `preprocess_input` of a family of networks.

    Some families scale to [-1, 1], some subtract ImageNet's means from blue, green and
    red, and some leave preprocessing to the network.

    Input: RGB images `(n, height, width, 3)` in [0, 255]. Output: of the same shape.

    Args:
        family: name of a module of `keras.applications`: `"mobilenet_v3"`.

    Raises:
        ValueError: an unknown family.
    """

    def __init__(self, family: str, **kwargs: Any):
        super().__init__(**kwargs)
        if family not in families():
            raise ValueError(
                f"family must be one of {', '.join(families())}. Received: {family!r}"
            )
        self.family = family

    def call(self, images):
        """Preprocesses a batch."""
        images = ops.cast(images, self.compute_dtype)
        preprocess = families()[self.family].preprocess_input
        return preprocess(images, data_format="channels_last")

    def compute_output_shape(self, input_shape):
        """Returns the shape of the input."""
        return input_shape

    def get_config(self):
        """Returns the arguments of `__init__`."""
        return {**super().get_config(), "family": self.family}
