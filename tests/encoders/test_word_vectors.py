"""Pretrained word vectors: their package, and the embedding that begins with them."""

import logging
import socket
import sys

import keras
import numpy as np
import pytest

from kerasgan.captioning.configured_networks import load_configured_word_vectors
from kerasgan.captioning.dual_encoder import build_dual_encoder
from kerasgan.config.settings import CaptionsConfig
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.encoders.word_vectors import (
    RELATIVE_LENGTH,
    check_word_vectors,
    load_word_vectors,
)
from kerasgan.errors import UserError

RANDOM = np.random.default_rng(0)
VOCABULARY = ["", "[UNK]", "[START]", "dog", "puppy", "stairs"]
NUM_WORDS, SIZE = 50, 6
KINDS = ["words", "lstm-attention", "lstm"]
PACKAGE = """
import logging
from pathlib import Path
import numpy as np

logging.basicConfig(level=logging.INFO)

class WordLlama:
    @classmethod
    def load(cls, cache_dir, disable_download):
        assert disable_download
        if not (Path(cache_dir) / "weights").is_dir():
            raise FileNotFoundError("Weights file not found.")
        return cls()

    def embed(self, texts):
        return np.float32([[len(text) + n for n in range(256)] for text in texts])
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of a package that takes the place of wordllama."""
    folder = tmp_path / "wordllama"
    (folder / "weights").mkdir(parents=True)
    (folder / "__init__.py").write_text(PACKAGE)
    # Not only deleted, so that the import is undone as well.
    monkeypatch.setitem(sys.modules, "wordllama", None)
    monkeypatch.delitem(sys.modules, "wordllama")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_every_word_has_a_vector_and_other_tokens_have_none(package):
    vectors = load_word_vectors(VOCABULARY)
    assert vectors.shape == (6, 256) and vectors.dtype == np.float32
    assert not vectors[:3].any()
    assert vectors[3:, 2].tolist() == [5, 7, 8]
    np.testing.assert_array_equal(load_word_vectors(VOCABULARY, 4), vectors[:, :4])


def test_the_package_does_not_configure_logging(package, monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", [])
    level = logging.root.level
    load_word_vectors(VOCABULARY)
    assert logging.root.handlers == [] and logging.root.level == level


def test_a_missing_or_damaged_package_is_named(package, monkeypatch):
    (package / "weights").rmdir()
    with pytest.raises(UserError, match="damaged: Weights .* --force-reinstall"):
        load_word_vectors(VOCABULARY)
    check_word_vectors("wordllama")
    monkeypatch.setitem(sys.modules, "wordllama", None)
    message = r"pip install 'kerasgan\[words\]'"
    with pytest.raises(UserError, match=message):
        check_word_vectors("wordllama")
    with pytest.raises(UserError, match=message):
        load_word_vectors([])
    check_word_vectors(None)


@pytest.mark.parametrize(("text_branch", "size"), [("words", 8), ("lstm-attention", 4)])
def test_settings_load_as_many_columns_as_fit(package, text_branch, size):
    config = CaptionsConfig(
        word_vectors="wordllama", text_branch=text_branch, joint_dim=4
    )
    vectors = load_configured_word_vectors(config, VOCABULARY)
    assert vectors.shape == (6, size)
    build_dual_encoder(6, 3, 5, 4, text_branch, word_vectors=vectors)
    assert load_configured_word_vectors(CaptionsConfig(), VOCABULARY) is None


def embedding_and_others(kind, word_vectors=None):
    """The table of a branch, and its other weights."""
    keras.utils.set_random_seed(0)
    branch = build_text_branch(NUM_WORDS, 4, SIZE, kind, word_vectors=word_vectors)
    first, *others = branch.get_weights()
    return first, others


@pytest.mark.parametrize("kind", KINDS)
def test_the_embedding_begins_with_the_vectors(kind):
    vectors = 7 * RANDOM.normal(size=(NUM_WORDS, 4))
    vectors[[0, 1, 9]] = 0
    random, random_others = embedding_and_others(kind)
    embeddings, others = embedding_and_others(kind, vectors)
    has_vector = vectors.any(axis=1)
    np.testing.assert_array_equal(embeddings[~has_vector], random[~has_vector])
    np.testing.assert_array_equal(embeddings[:, 4:], random[:, 4:])
    ratios = embeddings[has_vector, :4] / vectors[has_vector]
    np.testing.assert_allclose(ratios, ratios[0, 0], rtol=1e-5)
    length = np.linalg.norm(embeddings[has_vector, :4], axis=1).mean()
    assert length == pytest.approx(RELATIVE_LENGTH * random.std() * 2, rel=1e-5)
    for one, other in zip(random_others, others, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_vectors_are_trained():
    branch = build_text_branch(
        NUM_WORDS, 4, SIZE, "words", word_vectors=RANDOM.normal(size=(NUM_WORDS, 12))
    )
    before = branch.get_weights()[0]
    branch.compile(keras.optimizers.SGD(1.0), "mse")
    branch.fit(np.full((8, 4), 5), np.ones((8, SIZE)), verbose=0)
    changed = np.flatnonzero((branch.get_weights()[0] != before).any(axis=1))
    assert changed.tolist() == [5]


def test_no_word_has_a_vector():
    random, _ = embedding_and_others("words")
    embeddings, _ = embedding_and_others("words", np.zeros((NUM_WORDS, 3)))
    np.testing.assert_array_equal(embeddings, random)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((49, 4)), r"\(50, d\).* Received: shape \(49, 4\)"),
        (np.ones((50, 13)), r"d is from 1 to 12. Received: shape \(50, 13\)"),
        (np.ones((50, 0)), r"Received: shape \(50, 0\)"),
        (np.ones(50), r"Received: shape \(50,\)"),
        (np.where(np.arange(50)[:, None] == 7, np.nan, 1.0), r"in the rows \[7\]"),
    ],
)
def test_invalid_vectors_are_rejected(vectors, message):
    with pytest.raises(ValueError, match=message):
        build_dual_encoder(NUM_WORDS, 4, 5, SIZE, word_vectors=vectors)


def test_a_saved_dual_encoder_needs_no_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wordllama", None)
    vectors = RANDOM.normal(size=(NUM_WORDS, 3))
    dual_encoder = build_dual_encoder(NUM_WORDS, 4, 5, SIZE, word_vectors=vectors)
    dual_encoder.save(tmp_path / "dual_encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "dual_encoder.keras")
    token_ids = RANDOM.integers(1, NUM_WORDS, (3, 4))
    np.testing.assert_array_equal(
        loaded.embed_token_ids(token_ids), dual_encoder.embed_token_ids(token_ids)
    )


def test_the_vectors_of_wordllama(monkeypatch, capfd):
    pytest.importorskip("wordllama")

    def connect(*arguments):
        raise AssertionError("The vectors come with the package.")

    monkeypatch.setattr(socket.socket, "connect", connect)
    vectors = load_word_vectors(VOCABULARY)
    assert vectors.shape == (6, 256) and not vectors[:3].any()
    dog, puppy, stairs = vectors[3:] / np.linalg.norm(vectors[3:], axis=1)[:, None]
    assert dog @ puppy > 0.5 > 0.3 > dog @ stairs
    assert capfd.readouterr() == ("", "")
