"""A run in formats that take arrays: LiteRT, ONNX, and Keras's own."""

import contextlib
import importlib.util
import io
import shutil
import warnings

import keras
import numpy as np
import tensorflow as tf

from kerasgan.data import images, label_words
from kerasgan.errors import JobError, UserError
from kerasgan.export import preprocessing
from kerasgan.layers.traversal import find_layers

SUFFIXES = {"litert": ".tflite", "onnx": ".onnx", "keras": ".keras"}
# TensorFlow's own operators, Keras's choice for LiteRT, need a delegate that hardly any
# interpreter has, TensorFlow's own included.
BUILTINS = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
OPTIONS = {"litert": {"target_spec": BUILTINS}}
# What each format needs beside kerasgan: module, and what pip calls it.
NEEDS = {"onnx": {"tf2onnx": "tf2onnx", "onnx": "onnx", "onnxruntime": "onnxruntime"}}


def require_packages(name):
    """Refuses a format whose packages are not installed.

    Raises:
        UserError: naming what to install.
    """
    needs = NEEDS.get(name, {})
    missing = [pip for module, pip in needs.items() if not _is_there(module)]
    if missing:
        raise UserError(
            f"--format {name} needs packages that are not installed:"
            f" pip install {' '.join(missing)}"
        )


def refuse_strings(stages, name):
    """Refuses a format that takes numbers alone for what counts pieces of strings.

    Raises:
        UserError: naming the formats that take them.
    """
    strings = any("text" in one.inputs for stage in stages for one in stage.endpoints)
    if strings and name in ("litert", "onnx"):
        raise UserError(
            f"This classifier counts words and pieces of them, and --format {name}"
            " holds no strings. Use --format savedmodel or keras, or train with"
            " --set classifier.fusion=paper, which reads token ids."
        )


def _is_there(module):
    return importlib.util.find_spec(module) is not None


def write_models(stages, path, name):
    """Writes a file for each endpoint, or for each network in Keras's own format.

    Args:
        stages: a list of `Stage`.
        path: the directory, which is there.
        name: `"litert"`, `"onnx"` or `"keras"`.
    """
    for stage in stages:
        if name == "keras":
            for network, model in stage.networks.items():
                model.save(path / (network + SUFFIXES[name]))
            continue
        for endpoint in stage.endpoints:
            file = path / (endpoint.name + SUFFIXES[name])
            _convert(stage, endpoint, file, name)
    _write_preprocessing(stages, path)


def _convert(stage, endpoint, file, name):
    specs = stage.array_specs(endpoint)
    for network in stage.networks.values():
        for layer in find_layers(network, keras.layers.LSTM):
            # LiteRT has no lists of tensors whose first size is free.
            layer.unroll = name == "litert"
        freeze_constants(network)
    model = ArrayEndpoint(endpoint, stage.networks)
    model(
        {key: keras.ops.zeros((1, *s.shape[1:]), s.dtype) for key, s in specs.items()}
    )
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the converters' own making
            model.export(
                file,
                format=name,
                input_signature=[specs],
                verbose=False,
                **OPTIONS.get(name, {}),
            )
    except Exception as error:  # converters raise what they like
        raise JobError(
            f"{endpoint.name} cannot be written as {name}: {error}"
        ) from error


def freeze_constants(network):
    """Makes plain arrays of the tensors that a network was adapted to: a tensor from
    outside of a graph would be one more input of an ONNX model."""
    for layer in find_layers(network, keras.layers.Normalization):
        layer.mean, layer.variance = np.array(layer.mean), np.array(layer.variance)


class ArrayEndpoint(keras.Model):
    """An endpoint's network as Keras's exporters want it."""

    def __init__(self, endpoint, networks):
        super().__init__(name=endpoint.name)
        self.ask = endpoint.network
        # Not the networks: each of their layers would be traced for itself, where
        # texts have no known length.
        self.numbers = [v for one in networks.values() for v in one.variables]

    def build(self, input_shape=None):
        self.built = True

    def call(self, inputs, training=False):
        return self.ask(inputs)


def _write_preprocessing(stages, path):
    """What the models do not hold: image files to pixels, captions to numbers."""
    if any(stage.masked is not None for stage in stages):
        shutil.copyfile(label_words.__file__, path / "label_words.py")
    shutil.copyfile(images.__file__, path / "images.py")
    shutil.copyfile(preprocessing.__file__, path / "preprocessing.py")
