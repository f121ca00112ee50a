"""N-grams in the graph against scikit-learn, which this layer promises to equal."""

import inspect
import json
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from kerasgan.layers.ngram_logits import NgramLogits
from kerasgan.layers.string_ngrams import (
    NUL_REPLACEMENT,
    WHITESPACE,
    char_ngrams,
    lowercase,
)
from tests.layers.ngram_makers import COLORS, KINDS, LAYERS, MODELS, TEXTS, fitted

COMPILED = {
    kind: tf.function(layer, input_signature=[tf.TensorSpec([None], tf.string)])
    for kind, layer in LAYERS.items()
}


def assert_equal(kind, texts):
    vectorizer, regression = MODELS[kind]
    expected = regression.decision_function(vectorizer.transform(texts))
    logits = COMPILED[kind](tf.constant(texts, tf.string)).numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_the_decision_function(kind):
    assert_equal(kind, TEXTS + ["", " \n", "zzz", "a", "shoe", "blue red\u3000shoe"])


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_are_scikit_learn_s(kind):
    vectorizer, regression = MODELS[kind]
    found = tf.nn.log_softmax(LAYERS[kind](tf.constant(TEXTS)))
    expected = regression.predict_log_proba(vectorizer.transform(TEXTS))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_two_classes_have_two_logits():
    vectorizer, regression = fitted("word", [0, 0, 0, 0, 1, 1, 1, 1])
    layer = NgramLogits.from_sklearn(vectorizer, regression)
    matrix, texts = vectorizer.transform(TEXTS), tf.constant(TEXTS)
    logits = layer(texts).numpy()
    assert logits.shape == (8, 2)
    np.testing.assert_allclose(logits[:, 0], 0)
    np.testing.assert_allclose(
        logits[:, 1], regression.decision_function(matrix), atol=1e-4
    )
    np.testing.assert_allclose(
        tf.nn.log_softmax(logits), regression.predict_log_proba(matrix), atol=1e-4
    )


@pytest.mark.parametrize("text", ["", " ", "\n", "unknown", "\0"])
def test_a_text_without_known_ngrams_has_the_intercepts(text):
    _, regression = MODELS["word"]
    logits = LAYERS["word"](tf.constant([text]))
    np.testing.assert_allclose(logits[0], regression.intercept_, atol=1e-6)


def test_no_texts_have_no_logits():
    assert COMPILED["char_wb"](tf.constant([], tf.string)).shape == (0, 3)


def test_what_is_no_utf_8_does_not_stop_a_text():
    found = lowercase(tf.constant([b"A\xff\xc3 B", b"A\0B"])).numpy().tolist()
    assert found == ["a\ufffd\ufffd b".encode(), f"a{NUL_REPLACEMENT}b".encode()]


# What cannot agree -----------------------------------------------------------------

EVERYTHING = [chr(code) for code in range(sys.maxunicode + 1)]
EVERYTHING = [one for one in EVERYTHING if not "\ud800" <= one <= "\udfff"]


def differing():
    """Characters that Python and TensorFlow lower-case, or count as letters, or as
    spaces, or look past to find the last sigma of a word, differently: their tables
    are of two versions of Unicode."""
    texts = tf.constant(EVERYTHING)
    lowered = lowercase(texts).numpy()
    sigmas = lowercase(tf.strings.join(["a", texts, "Σ"])).numpy()
    letters = tf.strings.regex_full_match(texts, r"[\pL\pN_]").numpy()
    spaces = tf.strings.regex_full_match(texts, WHITESPACE).numpy()
    for one, *found in zip(EVERYTHING, lowered, sigmas, letters, spaces, strict=True):
        small, sigma, letter, space = found
        same = small.decode() == one.lower() and sigma.decode() == f"a{one}Σ".lower()
        same = same and letter == (one.isalnum() or one == "_")
        if not same or space != one.isspace():
            yield one


DIFFERING = "".join(differing())


@pytest.mark.parametrize("text", ["İI", "ΑΣ", "ΑΣ.", "ΑΣ Σ Σα", "ẞ ǅ", "\ufeffA"])
def test_lower_case_is_python_s(text):
    assert lowercase(tf.constant([text])).numpy()[0].decode() == text.lower()


PIECES = st.sampled_from(
    [
        "red",
        "RED",
        "shoe",
        "blue",
        "x",
        "12",
        "été",
        "É",
        "́",
        "赤い",
        "платье",
        "ΟΔΟΣ",
        "Σ",
        "İ",
        "ı",
        "ẞ",
        "½",
        "²",
        "_",
        ".",
        ",",
        "'",
        "-",
        "👟",
        "👩\u200d🚀",
        "कमीज़",
        "قميص",
        "\x00",
        "\u3000",
        "\x85",
        "\x1c",
        "\u200b",
        "\ufeff",
        "\t",
        "\n",
    ]
)
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters=DIFFERING)
ANY_TEXT = st.builds(
    str.join,
    st.sampled_from(["", " ", "\n"]),
    st.lists(PIECES | st.text(CHARACTERS, max_size=5), max_size=8),
)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=60)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=4))
def test_any_text_has_scikit_learn_s_logits(kind, texts):
    assert_equal(kind, texts)


@pytest.mark.parametrize("kind", ["word", "char_wb"])
@settings(deadline=None, max_examples=60)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=4))
def test_the_ngrams_themselves_are_scikit_learn_s(kind, texts):
    expected = MODELS[kind][0].build_analyzer()
    ngrams, rows = LAYERS[kind]._split(lowercase(tf.constant(texts)))
    found = [[] for _ in texts]
    for row, ngram in zip(rows.numpy(), ngrams.numpy(), strict=True):
        found[row].append(ngram.decode().replace(NUL_REPLACEMENT, "\0"))
    for text, some in zip(texts, found, strict=True):
        assert sorted(some) == sorted(expected(text))


# The layer -------------------------------------------------------------------------


def test_the_layer_learns():
    layer = NgramLogits.from_sklearn(*MODELS["word"])
    layer.coefficients.assign(tf.zeros_like(layer.coefficients))
    texts, labels = tf.constant(TEXTS), tf.constant(COLORS)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer, losses = keras.optimizers.SGD(1.0), []
    for _ in range(5):
        with tf.GradientTape() as tape:
            losses.append(loss(labels, layer(texts)))
        gradients = tape.gradient(losses[-1], layer.trainable_variables)
        optimizer.apply(gradients, layer.trainable_variables)
    assert len(gradients) == 2  # the idf are counted and not learned
    assert losses[-1] < 0.8 * losses[0]


def test_the_layer_is_registered_and_tells_all_its_arguments():
    assert keras.saving.get_registered_object("kerasgan>NgramLogits") is NgramLogits
    config = LAYERS["char_wb-sublinear"].get_config()
    assert set(inspect.signature(NgramLogits).parameters) - {"kwargs"} <= set(config)
    assert NgramLogits.from_config(config).get_config() == config
    assert json.loads(json.dumps(config))["ngram_range"] == [2, 5]


def test_precision_is_kept_where_the_rest_is_half(monkeypatch):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert NgramLogits(2, 3).compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(analyzer="char"), "analyzer must be one of"),
        (dict(ngram_range=(2, 1)), "ngram_range"),
        (dict(ngram_range=(0, 1)), "ngram_range"),
        (dict(classes=0), "classes=0"),
        (dict(size=0), "size=0"),
    ],
)
def test_impossible_arguments_are_rejected(arguments, message):
    with pytest.raises(ValueError, match=message):
        NgramLogits(**{"classes": 2, "size": 3, **arguments})


@pytest.mark.parametrize("ngrams", [["a", "b"], ["a", "a", "b"], ["a", "b", "c\n"]])
def test_impossible_ngrams_are_rejected(ngrams):
    with pytest.raises(ValueError, match="different strings|line break"):
        NgramLogits(2, 3).set_ngrams(ngrams, np.ones(3), np.ones((3, 2)), np.ones(2))


@pytest.mark.parametrize(
    "other",
    [
        dict(analyzer="char"),
        dict(lowercase=False),
        dict(strip_accents="unicode"),
        dict(norm="l1"),
        dict(use_idf=False),
        dict(binary=True),
        dict(stop_words="english"),
        dict(stop_words=["red"]),
        dict(token_pattern=r"\w+"),
        dict(tokenizer=str.split, token_pattern=None),
    ],
)
def test_a_vectorizer_with_other_options_is_rejected(other):
    vectorizer = TfidfVectorizer(**other)
    regression = LogisticRegression()
    regression.fit(vectorizer.fit_transform(TEXTS), COLORS)
    with pytest.raises(ValueError, match=next(iter(other))):
        NgramLogits.from_sklearn(vectorizer, regression)


def test_a_regression_of_another_vectorizer_is_rejected():
    with pytest.raises(ValueError):
        NgramLogits.from_sklearn(MODELS["word"][0], MODELS["char_wb"][1])


def test_one_long_word_among_many_short_ones():
    """Numbering the rows of a ragged tensor by `value_rowids` takes memory for all rows
    times the longest: 160 GB here."""
    texts = tf.constant(["a " * 50_000, "x" * 100_000])
    ngrams, rows = char_ngrams(texts, (2, 5))
    assert ngrams.shape == rows.shape and set(rows.numpy()) == {0, 1}
