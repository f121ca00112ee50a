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
from tests.export.makers import LENGTH, SIZE, WORDS, make_run
from tests.export.test_export import ALL

SOME = ["generate", "caption_beam", "match"]
ONNX = all(
    importlib.util.find_spec(name) for name in ("onnx", "onnxruntime", "tf2onnx")
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("formats") / "run"
    return make_run(path, text_branch="lstm-attention")


@pytest.fixture(scope="module")
def litert(run):
    """Some endpoints that hold all that is hard: loops, an LSTM, both branches."""
    stages = [
        dataclasses.replace(
            stage, endpoints=[one for one in stage.endpoints if one.name in SOME]
        )
        for stage in stages_of(run)
    ]
    out = run.path.parent / "litert"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerasgan.export.stages_of", lambda run: stages)
        return out, export_run(run.path, out, "litert")


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
        wanted = read_square(tmp_path / "a.jpg", SIZE, "crop")
    np.testing.assert_array_equal(picture, wanted)
    vectorizer = build_vectorizer(None, WORDS, 40, LENGTH)
    np.testing.assert_array_equal(ids, tokenize(vectorizer, captions))
    assert caption == "[START] a red dog"


def test_keras(run, tmp_path):
    results = export_run(run.path, tmp_path / "out", "keras")
    names = {"generator", "discriminator", "eye", "matcher", "captioner"}
    assert set(results) == {*names, "preprocessing.py"}
    for name in names:
        network = keras.saving.load_model(tmp_path / "out" / f"{name}.keras")
        assert not getattr(network, "optimizer", None)


@pytest.mark.skipif(not ONNX, reason="tf2onnx, onnx and onnxruntime are not installed")
def test_onnx(run, tmp_path):
    results = export_run(run.path, tmp_path / "out", "onnx")
    assert set(results) == {*ALL, "preprocessing.py"}


def test_a_missing_package_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasgan.export.arrays._is_there", lambda name: False)
    with pytest.raises(UserError, match="pip install tf2onnx onnx onnxruntime"):
        export_run(run.path, tmp_path / "out", "onnx")
