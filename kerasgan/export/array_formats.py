"""Export to formats whose models take arrays: LiteRT, ONNX, and Keras's own."""

import contextlib
import importlib.util
import io
import shutil
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from kerasgan.data import images, label_words
from kerasgan.errors import JobError, UserError
from kerasgan.export import preprocessing
from kerasgan.export.endpoints import Endpoint, Stage
from kerasgan.export.networks import freeze_constants, unroll_lstms

SUFFIXES = {"litert": ".tflite", "onnx": ".onnx", "keras": ".keras"}
# Keras also allows the operators of TensorFlow for LiteRT. They need a delegate that
# few interpreters have; the one of TensorFlow does not.
LITERT_BUILTINS = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
EXPORT_OPTIONS = {"litert": {"target_spec": LITERT_BUILTINS}}
# Packages that a format needs: {module: name on PyPI}.
REQUIRED_PACKAGES = {
    "onnx": {"tf2onnx": "tf2onnx", "onnx": "onnx", "onnxruntime": "onnxruntime"}
}


def require_packages(format: str) -> None:
    """Checks that the packages that a format needs are installed.

    Args:
        format: name of the format.

    Raises:
        UserError: a package is missing. The message names what to install.
    """
    packages = REQUIRED_PACKAGES.get(format, {})
    missing = [pip for module, pip in packages.items() if not _is_installed(module)]
    if missing:
        raise UserError(
            f"--format {format} needs packages that are not installed:"
            f" pip install {' '.join(missing)}"
        )


def _is_installed(module):
    return importlib.util.find_spec(module) is not None


def require_string_support(stages: Iterable[Stage], format: str) -> None:
    """Checks that a format supports the inputs of all endpoints.

    Args:
        stages: the stages to export.
        format: name of the format.

    Raises:
        UserError: an endpoint takes strings and the format has none. The message names
            formats that do.
    """
    takes_strings = any(
        "text" in endpoint.inputs for stage in stages for endpoint in stage.endpoints
    )
    if takes_strings and format in ("litert", "onnx"):
        raise UserError(
            "This classifier counts words and character n-grams, which needs strings,"
            f" and --format {format} does not support them. Use --format savedmodel or"
            " keras, or train with --set classifier.fusion=paper, which takes token"
            " ids."
        )


def write_models(stages: Sequence[Stage], path: Path, format: str) -> None:
    """Writes a file for each endpoint, or for each network in Keras's own format.

    Args:
        stages: the stages to export.
        path: an existing directory.
        format: `"litert"`, `"onnx"` or `"keras"`.

    Raises:
        JobError: a model cannot be converted.
    """
    for stage in stages:
        if format == "keras":
            for name, network in stage.networks.items():
                network.save(path / (name + SUFFIXES[format]))
            continue
        for endpoint in stage.endpoints:
            file = path / (endpoint.name + SUFFIXES[format])
            _convert(stage, endpoint, file, format)
    _write_preprocessing(stages, path)


def _convert(stage, endpoint, file, format):
    for network in stage.networks.values():
        unroll_lstms(network, format == "litert")
        freeze_constants(network)
    specs = stage.array_specs(endpoint)
    model = _ArrayEndpoint(endpoint, stage.networks)
    model(
        {
            name: keras.ops.zeros((1, *spec.shape[1:]), spec.dtype)
            for name, spec in specs.items()
        }
    )
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # caused by the converters
            model.export(
                file,
                format=format,
                input_signature=[specs],
                verbose=False,
                **EXPORT_OPTIONS.get(format, {}),
            )
    except Exception as error:  # converters raise many kinds of exceptions
        raise JobError(
            f"The endpoint {endpoint.name} cannot be converted to {format}: {error}"
        ) from error


class _ArrayEndpoint(keras.Model):
    """An endpoint as a model that Keras can export.

    Args:
        endpoint: an `Endpoint`.
        networks: `{name: keras.Model}`, the networks of its stage.
    """

    def __init__(self, endpoint: Endpoint, networks: dict[str, keras.Model]):
        super().__init__(name=endpoint.name)
        self.predict_endpoint = endpoint.predict
        # Only the variables: if the networks were tracked, Keras would also trace each
        # of their layers, with texts of unknown length.
        self.network_variables = [
            variable for network in networks.values() for variable in network.variables
        ]

    def build(self, input_shape=None):
        """Marks the model as built: the networks are."""
        self.built = True

    def call(self, inputs, training=False):
        """Calls the endpoint with `{input: tensor}`."""
        return self.predict_endpoint(inputs)


def _write_preprocessing(stages, path):
    """Copies the code that the models do not contain: of images and texts to arrays."""
    if any(stage.masked_words is not None for stage in stages):
        shutil.copyfile(label_words.__file__, path / "label_words.py")
    shutil.copyfile(images.__file__, path / "images.py")
    shutil.copyfile(preprocessing.__file__, path / "preprocessing.py")
