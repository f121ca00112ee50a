"""The preprocessing of `keras.applications`, as a layer."""

import functools
import inspect
import re

import keras
from keras import ops

from kerasgan.layers.registration import register


@functools.cache
def families():
    """The modules of `keras.applications` that prepare images, by their names."""
    members = inspect.getmembers(keras.applications, inspect.ismodule)
    prepare = {name: module for name, module in members if name != "imagenet_utils"}
    return {k: v for k, v in prepare.items() if hasattr(v, "preprocess_input")}


def family_of(name):
    """The module whose `preprocess_input` a network wants: `"MobileNetV3Small"` is of
    `"mobilenet_v3"`, and `"ResNet50V2"` of `"resnet_v2"`."""
    plain = re.sub(r"^resnet\d+", "resnet", name.lower())
    fitting = [one for one in families() if plain.startswith(one.replace("_", ""))]
    return max(fitting, key=len)


@register
class ApplicationPreprocessing(keras.layers.Layer):
    """Prepares images with the `preprocess_input` of a family of networks.

    Some scale to [-1, 1], some subtract ImageNet's means from blue, green and red,
    and some leave it to the network.

    Input and output: images `(n, height, width, 3)`; the input RGB in [0, 255].

    Args:
        family: name of a module of `keras.applications`: `"mobilenet_v3"`.

    Raises:
        ValueError: an unknown family.
    """

    def __init__(self, family, **kwargs):
        super().__init__(**kwargs)
        if family not in families():
            raise ValueError(
                f"family must be one of {', '.join(families())}. Received: {family!r}"
            )
        self.family = family

    def call(self, images):
        images = ops.cast(images, self.compute_dtype)
        prepare = families()[self.family].preprocess_input
        return prepare(images, data_format="channels_last")

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "family": self.family}
