"""Calls the endpoints of an export in a process without kerasgan and Keras.

Run as `python verify_in_subprocess.py DIRECTORY`. Prints
`{endpoint: {output: {"kind", "difference"}}}` as JSON, or a string with an error
message. `kind` is numpy's kind of the output's dtype. `difference` is the distance from
the reference output: for numbers the largest difference, for floats relative to
reference values above 1; for other values the share that differs.
"""

import importlib.abc
import importlib.machinery
import json
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

MAX_ERROR_LINES = 5  # TensorFlow appends where the graph was built
BLOCKED_PACKAGES = ("kerasgan", "keras", "tf_keras")

Arrays = dict[str, np.ndarray]
Results = dict[str, dict[str, Any]]
Predict = Callable[[dict, Mapping], Mapping]


class ImportBlocker(importlib.abc.Loader):
    """A meta path finder that makes imports of some packages fail.

    TensorFlow searches for Keras and continues without it if it cannot be imported.
    """

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Returns a spec that cannot be loaded, or None for other packages."""
        if name.partition(".")[0] in BLOCKED_PACKAGES:
            return importlib.machinery.ModuleSpec(name, self)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Raises `ModuleNotFoundError`."""
        raise ModuleNotFoundError(
            f"{spec.name} is blocked while an export is verified", name=spec.name
        )

    def exec_module(self, module: ModuleType) -> None:
        """Is not called: `create_module` fails first."""
        raise AssertionError("A module was executed that is blocked.")


def main(path: Path) -> None:
    """Verifies an export and prints the results.

    Args:
        path: the directory of the export.
    """
    if read_manifest(path)["format"] != "keras":  # the format needs kerasgan's layers
        sys.meta_path.insert(0, ImportBlocker())
    try:
        results = check_endpoints(path)
    except Exception as error:  # TensorFlow raises many kinds for damaged models
        message = "\n".join(str(error).splitlines()[:MAX_ERROR_LINES])
        results = f"{type(error).__name__}: {message}"
    print(json.dumps(results))


def read_manifest(path: Path) -> dict[str, Any]:
    """Reads export.json.

    Args:
        path: the directory of the export.
    """
    return json.loads((path / "export.json").read_text(encoding="utf-8"))


def read_examples(path: Path) -> Arrays:
    """Reads check.npz.

    Args:
        path: the directory of the export.

    Returns:
        `{key: array}`.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        with np.load(path / "check.npz") as stored:
            return dict(stored)
    except Exception as error:  # from zipfile, zlib or numpy
        raise ValueError(f"check.npz is damaged: {error}") from error


def check_endpoints(path: Path) -> dict[str, Results]:
    """Calls all endpoints in this process and compares their outputs.

    Args:
        path: the directory of the export.

    Returns:
        The results that `main` prints.
    """
    manifest = read_manifest(path)
    examples = read_examples(path)
    predict = LOADERS[manifest["format"]](path)
    results = {}
    for endpoint in manifest["endpoints"]:
        inputs = {
            name: unpack_files(examples) if key == "input/bytes" else examples[key]
            for name, key in endpoint["inputs"].items()
        }
        results[endpoint["name"]] = compare_outputs(predict, endpoint, inputs, examples)
    if (path / "preprocessing.py").is_file():
        results["preprocessing.py"] = check_preprocessing(path, examples)
    return results


def unpack_files(examples: Arrays) -> list[bytes]:
    """Returns the bytes of the example files; the last one is not an image.

    Args:
        examples: the content of check.npz.
    """
    ends = np.cumsum(examples["input/lengths"])
    starts = ends - examples["input/lengths"]
    data = examples["input/bytes"].tobytes()
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


def compare_outputs(
    predict: Predict, endpoint: dict[str, Any], inputs: dict, examples: Arrays
) -> Results:
    """Calls an endpoint and compares its outputs with the reference outputs.

    Args:
        predict: a function of an endpoint and its inputs.
        endpoint: an endpoint of export.json.
        inputs: `{name: values}`. If the file that is not an image is among them, the
            last row of other inputs is repeated for it, and its outputs must be empty.
        examples: the content of check.npz.

    Returns:
        `{output: {"kind", "difference"}}`.
    """
    num_rows = max(len(values) for values in inputs.values())
    inputs = {
        name: np.concatenate([values, values[-1:]])
        if len(values) < num_rows
        else values
        for name, values in inputs.items()
    }
    outputs = predict(endpoint, inputs)
    results = {}
    for name in endpoint["outputs"]:
        if name == "valid":
            expected = np.arange(num_rows) < num_rows - 1
        else:
            expected = examples[f"output/{endpoint['name']}/{name}"]
            if len(expected) < num_rows:
                expected = np.concatenate([expected, np.zeros_like(expected[:1])])
        difference = max_difference(np.asarray(outputs[name]), expected)
        results[name] = {"kind": expected.dtype.kind, "difference": difference}
    return results


def max_difference(actual: np.ndarray, expected: np.ndarray) -> float:
    """Computes the `difference` of an output, see the docstring of this module.

    Args:
        actual: the output; strings are UTF-8 bytes.
        expected: the reference output.

    Returns:
        A number from 0; infinity if the shapes differ or a number is not finite.
    """
    if actual.shape != expected.shape:
        return float("inf")
    if expected.dtype.kind == "U":
        texts = [text.decode() for text in actual.ravel()]
        actual = np.array(texts).reshape(actual.shape)
    if expected.dtype.kind in "Ub":
        return float((actual != expected).mean())
    scale = np.maximum(1, np.abs(expected)) if expected.dtype.kind == "f" else 1
    actual, expected = actual.astype("float64"), expected.astype("float64")
    difference = np.max(np.abs(actual - expected) / scale, initial=0.0)
    return float(difference) if np.isfinite(difference) else float("inf")


def check_preprocessing(path: Path, examples: Arrays) -> Results:
    """Compares the arrays that preprocessing.py makes of the example inputs.

    Args:
        path: the directory of the export.
        examples: the content of check.npz.

    Returns:
        `{"STAGE INPUT": {"kind", "difference"}}`.
    """
    sys.path.insert(0, str(path))
    import preprocessing

    results = {}
    for key, expected in examples.items():
        group, stage, name = (key + "//").split("/")[:3]
        if group != "input" or name not in ("image", "token_ids"):
            continue
        if name == "image":
            files = unpack_files(examples)[:-1]
            actual = [preprocessing.preprocess_image(data, stage) for data in files]
        else:
            actual = preprocessing.tokenize(examples[f"input/{stage}/captions"], stage)
        difference = max_difference(np.asarray(actual), expected)
        results[f"{stage} {name}"] = {"kind": "i", "difference": difference}
    return results


# Loaders: a directory to a function of an endpoint and its inputs, which returns
# `{output: array}` --------------------------------------------------------------


def _load_saved_model(path):
    import tensorflow as tf

    model = tf.saved_model.load(path)

    def predict(endpoint, inputs):
        tensors = {name: tf.constant(values) for name, values in inputs.items()}
        outputs = model.signatures[endpoint["name"]](**tensors)
        return {name: values.numpy() for name, values in outputs.items()}

    return predict


def _load_litert(path):
    import tensorflow as tf

    def predict(endpoint, inputs):
        with warnings.catch_warnings():  # TensorFlow recommends another package
            warnings.simplefilter("ignore")
            file = str(path / endpoint["file"])
            interpreter = tf.lite.Interpreter(model_path=file)
        return interpreter.get_signature_runner()(**inputs)

    return predict


def _load_onnx(path):
    import onnxruntime

    def predict(endpoint, inputs):
        file = str(path / endpoint["file"])
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs), strict=True))

    return predict


def _load_keras(path):
    import keras
    import tensorflow as tf

    from kerasgan import serialization  # noqa: F401 - registers the layers

    def predict(endpoint, inputs):
        network = keras.saving.load_model(path / endpoint["file"], compile=False)
        inputs = inputs.get("inputs", inputs)  # for a network that takes one array
        # In a graph, as for the reference outputs: it takes a quarter of the memory.
        call = tf.function(network, autograph=False)
        tensors = keras.tree.flatten(call(inputs, training=False))
        arrays = [keras.ops.convert_to_numpy(tensor) for tensor in tensors]
        return dict(zip(endpoint["outputs"], arrays, strict=True))

    return predict


LOADERS = {
    "savedmodel": _load_saved_model,
    "litert": _load_litert,
    "onnx": _load_onnx,
    "keras": _load_keras,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
