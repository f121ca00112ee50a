"""Exports to formats whose models take arrays."""

import dataclasses
import importlib.util
import json
import re
import subprocess
import sys
import warnings
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.data.images import read_square_image, strict_pillow
from kerasgan.errors import UserError
from kerasgan.export.export_run import export_run, load_stages
from kerasgan.export.networks import freeze_constants
from kerasgan.export.reference_outputs import add_network_outputs
from kerasgan.layers.text_vectorization import build_vectorizer, tokenize
from tests.data.makers import encoded, pixels
from tests.export.classifier_makers import LABELS, make_classifier_run
from tests.export.makers import (
    CAPTION_LENGTH,
    IMAGE_SIZE,
    VOCABULARY_SIZE,
    WORDS,
    export_in_process,
)
from tests.export.test_export import SIGNATURES
from tests.helpers import opened

# Together these have everything that is hard to convert: loops, an LSTM, both branches.
LITERT_ENDPOINTS = ["generate", "caption_beam"]
HAS_ONNX = all(
    importlib.util.find_spec(name) for name in ("onnx", "onnxruntime", "tf2onnx")
)


@pytest.fixture(scope="module")
def litert_export(gan_run, folder):
    stages = [
        dataclasses.replace(
            stage,
            endpoints=tuple(x for x in stage.endpoints if x.name in LITERT_ENDPOINTS),
        )
        for stage in load_stages(gan_run)
    ]
    path = folder / "litert"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerasgan.export.export_run.load_stages", lambda run: stages)
        exported = export_in_process(lambda: export_run(gan_run.path, path, "litert"))
    exported.path = path
    return exported


def test_litert(litert_export):
    path, results = litert_export.path, litert_export.result
    assert list(results) == [*LITERT_ENDPOINTS, "preprocessing.py"]
    assert {file.stem for file in path.glob("*.tflite")} == set(LITERT_ENDPOINTS)
    assert results["caption_beam"]["token_ids"]["difference"] == 0
    assert results["preprocessing.py"]["images token_ids"]["difference"] == 0
    text = (path / "README.md").read_text()
    assert "tf.saved_model" not in text
    captions = (
        r"`token_ids` int32 `\(n, \d, words\)`: the best first,"
        " for `preprocessing.detokenize`"
    )
    assert re.search(captions, text)


def test_the_examples_of_the_readme_run(litert_export, monkeypatch, capsys):
    path = litert_export.path
    text = (path / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == len(LITERT_ENDPOINTS)
    monkeypatch.chdir(path)
    monkeypatch.syspath_prepend(path)
    for name in ("one.jpg", "two.jpg"):
        (path / name).write_bytes(encoded(pixels(4)))
    with warnings.catch_warnings():
        # Files are not closed, and TensorFlow recommends another package for LiteRT.
        warnings.simplefilter("ignore")
        for block in blocks:
            exec(block, {})
    for name in ("preprocessing", "images"):
        sys.modules.pop(name, None)
    assert opened(path / "1.png").size == (IMAGE_SIZE, IMAGE_SIZE)
    assert "'token_ids': array(" in capsys.readouterr().out


def test_preprocessing_only_needs_numpy_and_pillow(litert_export, tmp_path):
    image_path = tmp_path / "a.jpg"
    image_path.write_bytes(encoded(pixels(4)))
    captions = ["", "A red DOG!", "zebra-striped things on grass", "犬 3", "boat " * 99]
    code = (
        "import json, sys\n"
        f"sys.path.insert(0, {str(litert_export.path)!r})\n"
        "import preprocessing\n"
        f"data = open({str(image_path)!r}, 'rb').read()\n"
        "image = preprocessing.preprocess_image(data, 'captions')\n"
        f"token_ids = preprocessing.tokenize({captions!r}, 'captions')\n"
        "caption = preprocessing.detokenize(token_ids[1], 'captions')\n"
        "assert not {'tensorflow', 'keras', 'kerasgan'} & set(sys.modules)\n"
        "print(json.dumps([image.tolist(), token_ids.tolist(), caption]))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    image, token_ids, caption = json.loads(process.stdout)
    with strict_pillow():
        expected = read_square_image(image_path.read_bytes(), IMAGE_SIZE, "crop")
    np.testing.assert_array_equal(image, expected)
    vectorizer = build_vectorizer(None, WORDS, VOCABULARY_SIZE, CAPTION_LENGTH)
    np.testing.assert_array_equal(token_ids, tokenize(vectorizer, captions))
    assert caption == "[START] a red dog"


def test_litert_with_the_classifier_of_paper_b(tmp_path):
    run = make_classifier_run(tmp_path / "run", is_ensemble=False)
    path = tmp_path / "out"
    results = export_in_process(lambda: export_run(run.path, path, "litert")).result
    assert list(results["classify"]) == ["probabilities"]
    assert results["classify"]["probabilities"]["difference"] < 1e-5
    preprocessing = results["preprocessing.py"]
    assert preprocessing["classes image"]["difference"] == 0
    assert preprocessing["classes token_ids"]["difference"] == 0
    assert (path / "labels.txt").read_text().splitlines() == LABELS
    text = (path / "README.md").read_text()
    assert 'preprocessing.tokenize(["' in text and '"classes")' in text


def test_keras(gan_run, tmp_path, monkeypatch, capsys):
    path = tmp_path / "out"
    results = export_in_process(lambda: export_run(gan_run.path, path, "keras")).result
    names = {"generator", "discriminator", "image_encoder", "dual_encoder", "captioner"}
    assert set(results) == {*names, "preprocessing.py"}
    text = (path / "README.md").read_text()
    assert "`captioner.keras` | `features` float32 `(n, 2, 2, 8)`; `token_ids`" in text
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(path)
    exec(block, {})
    assert "shape=(8, 32, 32, 3)" in capsys.readouterr().out
    for name in names:
        assert all(output["difference"] < 1e-5 for output in results[name].values())
        network = keras.saving.load_model(path / f"{name}.keras")
        assert not getattr(network, "optimizer", None)


def test_networks_are_called_in_a_graph():
    """Outside of a graph, Keras keeps all intermediate outputs in memory."""
    in_graph = []

    class Doubling(keras.layers.Layer):
        def call(self, inputs):
            in_graph.append(tf.inside_function())
            return 2 * inputs

    inputs = keras.Input((3,))
    network = keras.Model(inputs, Doubling()(inputs))
    array = np.ones((4, 3), "float32")
    stage = SimpleNamespace(
        name="numbers",
        networks={"double": network},
        network_inputs=lambda examples: {"double": {"inputs": array}},
    )
    packed = {}
    in_graph.clear()
    (endpoint,) = add_network_outputs([stage], {stage.name: None}, packed)
    assert in_graph == [True]
    np.testing.assert_array_equal(packed["output/double/output_0"], 2 * array)
    shapes = dict.fromkeys(["inputs", "output_0"], "float32 `(n, 3)`")
    assert endpoint["shapes"] == shapes


def test_keras_with_an_ensemble(classifier_run, tmp_path):
    """Verifies in another process, which only imports kerasgan."""
    results = export_run(classifier_run.path, tmp_path / "out", "keras")
    assert set(results) == {"classifier", "preprocessing.py"}


def test_statistics_of_normalization_are_no_inputs():
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Normalization()])
    inner.layers[0].adapt(np.float32([[1, 2, 3], [3, 4, 9]]))
    inputs = keras.Input((3,))
    network = keras.Model(inputs, inner(inputs))
    array = np.float32([[1, 2, 5]])
    expected = network(array)

    def captured_tensors():
        spec = tf.TensorSpec((None, 3), tf.float32)
        graph = tf.function(network).get_concrete_function(spec).graph
        return [tensor for tensor, _ in graph.captures if tensor.dtype != tf.resource]

    assert captured_tensors()
    freeze_constants(network)
    assert not captured_tensors()
    np.testing.assert_array_equal(network(array), expected)


@pytest.mark.skipif(
    not HAS_ONNX, reason="tf2onnx, onnx and onnxruntime are not installed"
)
def test_onnx(gan_run, tmp_path):
    results = export_run(gan_run.path, tmp_path / "out", "onnx")
    assert set(results) == {*SIGNATURES, "preprocessing.py"}


def test_a_missing_package_is_named(gan_run, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "kerasgan.export.array_formats._is_installed", lambda name: False
    )
    with pytest.raises(UserError, match="pip install tf2onnx onnx onnxruntime"):
        export_run(gan_run.path, tmp_path / "out", "onnx")
