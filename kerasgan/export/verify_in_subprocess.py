"""Tries an export in a process of its own, which has neither kerasgan nor Keras.

Run as `python fresh.py DIRECTORY`; prints `{endpoint: {output: {"kind", "off"}}}` as
JSON, or a string that says what is wrong. `off` is how far the output is from the run's
own answer: the largest difference of numbers, of floats relative where they are above
1, or the share of other values that differ.
"""

import importlib.machinery
import json
import sys
import warnings
from pathlib import Path

import numpy as np

LINES = 5  # of an error that are for people; graphs tell where they were built
ABSENT = ("kerasgan", "keras", "tf_keras")


class ImportBlocker:
    """A finder of modules that finds some first, and does not let them in.

    TensorFlow asks where Keras is, and goes on without it where it cannot be imported.
    """

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            return importlib.machinery.ModuleSpec(name, self)
        return None

    def create_module(self, spec):
        raise ModuleNotFoundError(f"{spec.name} is kept out", name=spec.name)

    def exec_module(self, module):
        raise AssertionError("never created")


def main(folder):
    if read_manifest(folder)["format"] != "keras":  # whose layers are kerasgan's
        sys.meta_path.insert(0, ImportBlocker())
    try:
        results = try_endpoints(folder)
    except Exception as error:  # whatever TensorFlow makes of damaged models
        said = "\n".join(str(error).splitlines()[:LINES])
        results = f"{type(error).__name__}: {said}"
    print(json.dumps(results))


def read_manifest(folder):
    return json.loads((folder / "export.json").read_text(encoding="utf-8"))


def read_examples(folder):
    """check.npz as a dict."""
    try:
        with np.load(folder / "check.npz") as stored:
            return dict(stored)
    except Exception as error:  # zip's, zlib's and numpy's
        raise ValueError(f"check.npz is damaged: {error}") from error


def try_endpoints(folder):
    """What `main` prints, in this process."""
    manifest = read_manifest(folder)
    stored = read_examples(folder)
    ask = ASK[manifest["format"]](folder)
    results = {}
    for endpoint in manifest["endpoints"]:
        given = {
            name: files_of(stored) if key == "input/bytes" else stored[key]
            for name, key in endpoint["inputs"].items()
        }
        results[endpoint["name"]] = compare(ask, endpoint, given, stored)
    if (folder / "preprocessing.py").is_file():
        results["preprocessing.py"] = try_preprocessing(folder, stored)
    return results


def files_of(stored):
    """The bytes of the example files; the last is no image."""
    ends = np.cumsum(stored["input/lengths"])
    data = stored["input/bytes"].tobytes()
    starts = ends - stored["input/lengths"]
    return [data[start:end] for start, end in zip(starts, ends)]


def compare(ask, endpoint, given, stored):
    """One endpoint's outputs beside the run's; rows of what is no image are empty."""
    rows = max(len(values) for values in given.values())
    for name, values in given.items():
        if len(values) < rows:  # beside the file that is no image
            given[name] = np.concatenate([values, values[-1:]])
    found = ask(endpoint, given)
    distances = {}
    for name in endpoint["outputs"]:
        got = np.asarray(found[name])
        if name == "valid":
            want = np.arange(rows) < rows - 1
        else:
            want = stored[f"answer/{endpoint['name']}/{name}"]
            if len(want) < rows:
                want = np.concatenate([want, np.zeros_like(want[:1])])
        distances[name] = {"kind": want.dtype.kind, "off": distance(got, want)}
    return distances


def distance(got, want):
    if got.shape != want.shape:
        return float("inf")
    if want.dtype.kind == "U":
        got = np.array([text.decode() for text in got.ravel()]).reshape(got.shape)
    if want.dtype.kind in "Ub":
        return float((got != want).mean())
    scale = np.maximum(1, np.abs(want)) if want.dtype.kind == "f" else 1
    got, want = got.astype("float64"), want.astype("float64")
    worst = np.max(np.abs(got - want) / scale, initial=0.0)
    return float(worst) if np.isfinite(worst) else float("inf")


def try_preprocessing(folder, stored):
    """The files beside the model, on the same examples."""
    sys.path.insert(0, str(folder))
    import preprocessing

    results = {}
    for key, want in stored.items():
        place, stage, name = (key + "//").split("/")[:3]
        if place != "input" or name not in ("image", "token_ids"):
            continue
        if name == "image":
            got = [preprocessing.image(data, stage) for data in files_of(stored)[:-1]]
        else:
            got = preprocessing.token_ids(stored[f"input/{stage}/captions"], stage)
        off = distance(np.asarray(got), want)
        results[f"{stage} {name}"] = {"kind": "i", "off": off}
    return results


# One for each format: a folder to a function of an endpoint and its inputs ----------


def saved_model(folder):
    import tensorflow as tf

    model = tf.saved_model.load(folder)

    def ask(endpoint, given):
        tensors = {name: tf.constant(values) for name, values in given.items()}
        found = model.signatures[endpoint["name"]](**tensors)
        return {name: values.numpy() for name, values in found.items()}

    return ask


def litert(folder):
    import tensorflow as tf

    def ask(endpoint, given):
        with warnings.catch_warnings():  # of its successor in another package
            warnings.simplefilter("ignore")
            path = str(folder / endpoint["file"])
            interpreter = tf.lite.Interpreter(model_path=path)
        return interpreter.get_signature_runner()(**given)

    return ask


def onnx(folder):
    import onnxruntime

    def ask(endpoint, given):
        path = str(folder / endpoint["file"])
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, given)))

    return ask


def keras_networks(folder):
    import keras
    import tensorflow as tf

    import kerasgan  # noqa: F401 - registers the layers

    def ask(endpoint, given):
        network = keras.saving.load_model(folder / endpoint["file"], compile=False)
        given = given.get("inputs", given)  # of a network that takes one array
        # In a graph, as the run was asked: it takes a quarter of the memory.
        ask = tf.function(network, autograph=False)
        found = keras.tree.flatten(ask(given, training=False))
        found = [keras.ops.convert_to_numpy(tensor) for tensor in found]
        return dict(zip(endpoint["outputs"], found))

    return ask


ASK = {
    "savedmodel": saved_model,
    "litert": litert,
    "onnx": onnx,
    "keras": keras_networks,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
