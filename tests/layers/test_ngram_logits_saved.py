"""N-grams survive every way of saving: whole models, weights alone, exports."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers.ngram_logits import NgramLogits
from tests.layers.ngram_makers import KINDS, LAYERS, TEXTS


def model_of(layer):
    texts = keras.Input((), dtype="string", name="text")
    return keras.Model(texts, layer(texts))


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_saved_with_its_ngrams(kind, tmp_path):
    model = model_of(LAYERS[kind])
    assert model.output.shape == (None, 3) and model.output.dtype == "float32"
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    texts = tf.constant(TEXTS)
    np.testing.assert_array_equal(again(texts), model(texts))
    np.testing.assert_array_equal(
        again.predict(texts, verbose=0), model.predict(texts, verbose=0)
    )
    (layer,) = (one for one in again.layers if isinstance(one, NgramLogits))
    assert layer.get_ngrams() == LAYERS[kind].get_ngrams()


def test_the_weights_file_has_the_ngrams_too(tmp_path):
    model = model_of(LAYERS["char_wb"])
    model.save_weights(tmp_path / "model.weights.h5")
    empty = NgramLogits.from_config(LAYERS["char_wb"].get_config())
    again = model_of(empty)
    with pytest.raises(ValueError, match="has no n-grams"):
        again(tf.constant(TEXTS))
    again.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(again(tf.constant(TEXTS)), model(tf.constant(TEXTS)))


LOADING = """
import json, sys
sys.modules |= {"kerasgan": None, "keras": None, "sklearn": None}  # not to be found
import tensorflow as tf
texts = tf.constant(json.loads(sys.argv[1]))
loaded = [tf.saved_model.load(path) for path in sys.argv[2:]]
print(json.dumps([one.serve(texts).numpy().tolist() for one in loaded]))
"""


def test_an_export_needs_only_tensorflow(tmp_path):
    texts = [text for text in TEXTS if "\0" not in text]  # no argument can hold it
    kinds = ["word", "char_wb"]
    for kind in kinds:
        archive, model = keras.export.ExportArchive(), model_of(LAYERS[kind])
        archive.track(model)
        archive.add_endpoint(
            "serve", model.call, input_signature=[tf.TensorSpec([None], tf.string)]
        )
        archive.write_out(tmp_path / kind, verbose=False)
    arguments = [json.dumps(texts), *(str(tmp_path / kind) for kind in kinds)]
    result = subprocess.run(
        [sys.executable, "-c", LOADING, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    for kind, logits in zip(kinds, json.loads(result.stdout), strict=True):
        np.testing.assert_allclose(logits, LAYERS[kind](tf.constant(texts)), atol=1e-5)


def test_a_saved_model_written_by_tensorflow(tmp_path):
    model = model_of(LAYERS["word"])
    serve = tf.function(
        lambda texts: model(texts), input_signature=[tf.TensorSpec([None], tf.string)]
    )
    module = tf.Module()
    module.model, module.serve = model, serve
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": serve})
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(
        loaded.serve(tf.constant(TEXTS)), model(tf.constant(TEXTS)), atol=1e-6
    )


def test_many_ngrams_of_any_script_are_saved_and_read_quickly(tmp_path):
    ngrams = [f"{chr(0x4E00 + n % 20000)}{n} é👟" for n in range(200_000)]
    layer = NgramLogits(2, len(ngrams), "char_wb", (2, 5))
    layer.set_ngrams(ngrams, np.ones(len(ngrams)), np.ones((len(ngrams), 2)), [0, 1])
    model_of(layer).save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.layers[-1].get_ngrams() == ngrams
