import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasgan.errors import UserError
from kerasgan.layers.text_vectorization import (
    START,
    build_vectorizer,
    get_vocabulary,
    load_vectorizer,
    load_vocabulary,
    save_vocabulary,
    standardize,
    tokenize,
)

CAPTIONS = ["Two dogs, running!", "a dog", "Été à la plage — 木"]


def test_standardize_keeps_words_of_any_script_without_punctuation():
    words = [text.decode() for text in standardize(tf.constant(CAPTIONS)).numpy()]
    assert words == [
        "[START] two dogs running",
        "[START] a dog",
        "[START] été à la plage 木",
    ]


def test_vocabulary_comes_from_the_captions_given_and_survives(tmp_path):
    vectorizer = build_vectorizer(CAPTIONS, vocabulary_size=50, sequence_length=6)
    assert get_vocabulary(vectorizer)[0] == START
    save_vocabulary(vectorizer, tmp_path / "vocabulary.txt")
    words = load_vocabulary(tmp_path / "vocabulary.txt")
    again = build_vectorizer(vocabulary=words, vocabulary_size=50, sequence_length=6)
    ids = tokenize(vectorizer, CAPTIONS + ["a zebra"])
    np.testing.assert_array_equal(ids, tokenize(again, CAPTIONS + ["a zebra"]))
    assert ids.shape == (4, 6) and ids.dtype == np.int32
    assert ids[3, 2] == 1  # unknown


@pytest.mark.parametrize("caption", ["", "   ", "?!", "\x00\x07", "word " * 500])
def test_every_caption_has_at_least_one_token(caption):
    vectorizer = build_vectorizer(CAPTIONS, vocabulary_size=50, sequence_length=6)
    ids = tokenize(vectorizer, [caption])
    assert ids[0, 0] == 2 and ids.shape == (1, 6)


def test_a_vocabulary_of_only_the_start_token():
    vectorizer = build_vectorizer(["", "!"], vocabulary_size=50, sequence_length=3)
    assert get_vocabulary(vectorizer) == [START]
    assert tokenize(vectorizer, ["dog"]).tolist() == [[2, 1, 0]]


VECTORIZER = build_vectorizer(CAPTIONS, vocabulary_size=50, sequence_length=6)


@settings(deadline=None, max_examples=30)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_padding_is_only_on_the_right(caption):
    ids = tokenize(VECTORIZER, [caption])[0]
    count = (ids > 0).sum()
    assert count >= 1 and (ids[:count] > 0).all()


@pytest.mark.parametrize(
    "content, reason",
    [
        (None, "cannot be read"),
        (b"", "not complete"),
        (b"[START]\na\nhal", "not complete"),
        (b"[START]\n\xff\xfe\n", "cannot be read"),
        (b"[START]\na\na\n", "damaged"),
    ],
)
def test_a_damaged_vocabulary_is_named(tmp_path, content, reason):
    path = tmp_path / "vocabulary.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f"vocabulary.txt .*{reason}"):
        load_vectorizer(path, vocabulary_size=50, sequence_length=6)
