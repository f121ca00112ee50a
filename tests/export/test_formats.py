"""Formats that take arrays."""

import dataclasses
import importlib.util
import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasgan.data.pictures import read_square, strict_pillow
from kerasgan.data.text import build_vectorizer, tokenize
from kerasgan.errors import UserError
from kerasgan.export import export_run, stages_of
from tests.data.makers import coded, pixels
from tests.export.classifier_makers import LABELS, make_classifier_run
from tests.export.makers import LENGTH, SIZE, WORDS, export_here
from tests.export.test_export import ALL

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
        patch.setattr("kerasgan.export.stages_of", lambda run: stages)
        return out, export_here(lambda: export_run(gan_run.path, out, "litert"))[0]


def test_litert(litert):
    out, results = litert
    assert list(results) == [*SOME, "preprocessing.py"]
    assert {path.stem for path in out.glob("*.tflite")} == set(SOME)
    assert results["caption_beam"]["token_ids"]["off"] == 0
    assert results["preprocessing.py"]["pictures token_ids"]["off"] == 0
    text = (out / "README.md").read_text()
    assert "preprocessing.picture(" in text and "tf.saved_model" not in text


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
        "print(json.dumps([preprocessing.picture(data, 'captions').tolist(),"
        " ids.tolist(), preprocessing.caption(ids[1], 'captions')]))"
    )
    tried = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    picture, ids, caption = json.loads(tried.stdout)
    with strict_pillow():
        wanted = read_square((tmp_path / "a.jpg").read_bytes(), SIZE, "crop")
    np.testing.assert_array_equal(picture, wanted)
    vectorizer = build_vectorizer(None, WORDS, 40, LENGTH)
    np.testing.assert_array_equal(ids, tokenize(vectorizer, captions))
    assert caption == "[START] a red dog"


def test_litert_of_the_papers_classifier(tmp_path):
    run = make_classifier_run(tmp_path / "run", ours=False)
    results, _ = export_here(lambda: export_run(run.path, tmp_path / "out", "litert"))
    assert list(results["classify"]) == ["probabilities"]
    assert results["classify"]["probabilities"]["off"] < 1e-5
    found = results["preprocessing.py"]
    assert found["classes picture"]["off"] == found["classes token_ids"]["off"] == 0
    assert (tmp_path / "out" / "labels.txt").read_text().splitlines() == LABELS
    text = (tmp_path / "out" / "README.md").read_text()
    assert 'preprocessing.token_ids(["' in text and '"classes")' in text


def test_keras(gan_run, tmp_path):
    results, _ = export_here(
        lambda: export_run(gan_run.path, tmp_path / "out", "keras")
    )
    names = {"generator", "discriminator", "eye", "matcher", "captioner"}
    assert set(results) == {*names, "preprocessing.py"}
    for name in names:
        assert all(found["off"] < 1e-5 for found in results[name].values())
        network = keras.saving.load_model(tmp_path / "out" / f"{name}.keras")
        assert not getattr(network, "optimizer", None)


def test_keras_of_our_classifier(classifier_run, tmp_path):
    """In a fresh process, which imports kerasgan.models alone."""
    results = export_run(classifier_run.path, tmp_path / "out", "keras")
    assert set(results) == {"classifier", "preprocessing.py"}


@pytest.mark.skipif(not ONNX, reason="tf2onnx, onnx and onnxruntime are not installed")
def test_onnx(gan_run, tmp_path):
    results = export_run(gan_run.path, tmp_path / "out", "onnx")
    assert set(results) == {*ALL, "preprocessing.py"}


def test_a_missing_package_is_named(gan_run, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasgan.export.arrays._is_there", lambda name: False)
    with pytest.raises(UserError, match="pip install tf2onnx onnx onnxruntime"):
        export_run(gan_run.path, tmp_path / "out", "onnx")
