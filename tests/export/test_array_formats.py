"""Formats that take arrays."""

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
from kerasgan.data.text import build_vectorizer, tokenize
from kerasgan.errors import UserError
from kerasgan.export.array_formats import freeze_constants
from kerasgan.export.export_run import export_run, stages_of
from kerasgan.export.reference_outputs import check_networks
from tests.data.makers import coded, pixels
from tests.export.classifier_makers import LABELS, make_classifier_run
from tests.export.makers import LENGTH, SIZE, WORDS, export_here
from tests.export.test_export import ALL
from tests.helpers import opened

SOME = ["generate", "caption_beam"]
ONNX = all(
    importlib.util.find_spec(name) for name in ("onnx", "onnxruntime", "tf2onnx")
)


@pytest.fixture(scope="module")
def litert(gan_run, folder):
    """Some endpoints that hold all that is hard: loops, an LSTM, both branches."""
    stages = [
        dataclasses.replace(
            stage, endpoints=[one for one in stage.endpoints if one.name in SOME]
        )
        for stage in stages_of(gan_run)
    ]
    out = folder / "litert"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerasgan.export.export_run.stages_of", lambda run: stages)
        return out, export_here(lambda: export_run(gan_run.path, out, "litert"))[0]


def test_litert(litert):
    out, results = litert
    assert list(results) == [*SOME, "preprocessing.py"]
    assert {path.stem for path in out.glob("*.tflite")} == set(SOME)
    assert results["caption_beam"]["token_ids"]["off"] == 0
    assert results["preprocessing.py"]["images token_ids"]["off"] == 0
    text = (out / "README.md").read_text()
    assert "tf.saved_model" not in text
    best = r"`token_ids` int32 `\(n, \d, words\)`: the best first, spelled by"
    assert re.search(best, text)


def test_the_readme_runs_as_it_is_written(litert, monkeypatch, capsys):
    out, _ = litert
    text = (out / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == len(SOME)
    monkeypatch.chdir(out)
    monkeypatch.syspath_prepend(out)
    for name in ("one.jpg", "two.jpg"):
        (out / name).write_bytes(coded(pixels(4)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files left open, and of LiteRT's successor
        for block in blocks:
            exec(block, {})
    for name in ("preprocessing", "images"):
        sys.modules.pop(name, None)
    assert opened(out / "1.png").size == (SIZE, SIZE)
    assert "'token_ids': array(" in capsys.readouterr().out


def test_preprocessing_needs_numpy_and_pillow_alone(litert, tmp_path):
    out, _ = litert
    (tmp_path / "a.jpg").write_bytes(coded(pixels(4)))
    captions = ["", "A red DOG!", "unheard-of words on grass", "犬 3", "boat " * 99]
    code = (
        "import json, sys\n"
        f"sys.path.insert(0, {str(out)!r})\n"
        "import preprocessing\n"
        f"data = open({str(tmp_path / 'a.jpg')!r}, 'rb').read()\n"
        f"ids = preprocessing.token_ids({captions!r}, 'captions')\n"
        "assert not {'tensorflow', 'keras', 'kerasgan'} & set(sys.modules)\n"
        "print(json.dumps([preprocessing.image(data, 'captions').tolist(),"
        " ids.tolist(), preprocessing.caption(ids[1], 'captions')]))"
    )
    tried = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    image, ids, caption = json.loads(tried.stdout)
    with strict_pillow():
        wanted = read_square_image((tmp_path / "a.jpg").read_bytes(), SIZE, "crop")
    np.testing.assert_array_equal(image, wanted)
    vectorizer = build_vectorizer(None, WORDS, 40, LENGTH)
    np.testing.assert_array_equal(ids, tokenize(vectorizer, captions))
    assert caption == "[START] a red dog"


def test_litert_of_the_papers_classifier(tmp_path):
    run = make_classifier_run(tmp_path / "run", ours=False)
    results, _ = export_here(lambda: export_run(run.path, tmp_path / "out", "litert"))
    assert list(results["classify"]) == ["probabilities"]
    assert results["classify"]["probabilities"]["off"] < 1e-5
    found = results["preprocessing.py"]
    assert found["classes image"]["off"] == found["classes token_ids"]["off"] == 0
    assert (tmp_path / "out" / "labels.txt").read_text().splitlines() == LABELS
    text = (tmp_path / "out" / "README.md").read_text()
    assert 'preprocessing.token_ids(["' in text and '"classes")' in text


def test_keras(gan_run, tmp_path, monkeypatch, capsys):
    results, _ = export_here(
        lambda: export_run(gan_run.path, tmp_path / "out", "keras")
    )
    names = {"generator", "discriminator", "image_encoder", "dual_encoder", "captioner"}
    assert set(results) == {*names, "preprocessing.py"}
    text = (tmp_path / "out" / "README.md").read_text()
    assert "`captioner.keras` | `grid` float32 `(n, 2, 2, 8)`; `token_ids`" in text
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path / "out")
    exec(block, {})
    assert "shape=(8, 32, 32, 3)" in capsys.readouterr().out
    for name in names:
        assert all(found["off"] < 1e-5 for found in results[name].values())
        network = keras.saving.load_model(tmp_path / "out" / f"{name}.keras")
        assert not getattr(network, "optimizer", None)


def test_networks_are_tried_in_a_graph():
    """Outside of one Keras keeps what each layer made until the last is done."""
    inside = []

    class Doubled(keras.layers.Layer):
        def call(self, inputs):
            inside.append(tf.inside_function())
            return 2 * inputs

    inputs = keras.Input((3,))
    network = keras.Model(inputs, Doubled()(inputs))
    given = np.ones((4, 3), "float32")
    stage = SimpleNamespace(
        name="numbers",
        networks={"double": network},
        samples=lambda examples: {"double": {"inputs": given}},
    )
    packed = {}
    inside.clear()
    (listed,) = check_networks([stage], {stage.name: None}, packed)
    assert inside == [True]
    np.testing.assert_array_equal(packed["answer/double/output_0"], 2 * given)
    shapes = dict.fromkeys(["inputs", "output_0"], "float32 `(n, 3)`")
    assert listed["shapes"] == shapes


def test_keras_of_our_classifier(classifier_run, tmp_path):
    """In a fresh process, which imports kerasgan alone."""
    results = export_run(classifier_run.path, tmp_path / "out", "keras")
    assert set(results) == {"classifier", "preprocessing.py"}


def test_what_a_network_was_adapted_to_is_no_input():
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Normalization()])
    inner.layers[0].adapt(np.float32([[1, 2, 3], [3, 4, 9]]))
    inputs = keras.Input((3,))
    network = keras.Model(inputs, inner(inputs))
    given = np.float32([[1, 2, 5]])
    before = network(given)

    def tensors_from_outside():
        spec = tf.TensorSpec((None, 3), tf.float32)
        graph = tf.function(network).get_concrete_function(spec).graph
        return [one for one, _ in graph.captures if one.dtype != tf.resource]

    assert tensors_from_outside()
    freeze_constants(network)
    assert not tensors_from_outside()
    np.testing.assert_array_equal(network(given), before)


@pytest.mark.skipif(not ONNX, reason="tf2onnx, onnx and onnxruntime are not installed")
def test_onnx(gan_run, tmp_path):
    results = export_run(gan_run.path, tmp_path / "out", "onnx")
    assert set(results) == {*ALL, "preprocessing.py"}


def test_a_missing_package_is_named(gan_run, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasgan.export.array_formats._is_there", lambda name: False)
    with pytest.raises(UserError, match="pip install tf2onnx onnx onnxruntime"):
        export_run(gan_run.path, tmp_path / "out", "onnx")
