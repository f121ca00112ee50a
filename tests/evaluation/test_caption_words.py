"""Words of captions, compared with the standardization of the networks."""

import sys
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasgan.evaluation.caption_words import (
    normalize_caption,
    normalize_references,
    scorable_pairs,
)
from kerasgan.layers.text_vectorization import START, standardize


def comparable(character):
    """Whether Python and TensorFlow can be compared on a character.

    Both know the characters of Unicode 3.2, whatever their versions. `tf.strings.lower`
    drops what follows a NUL.
    """
    return character != "\0" and unicodedata.ucd_3_2_0.category(character) != "Cn"


def standardized(captions):
    texts = standardize(tf.constant(captions)).numpy()
    return [text.decode().removeprefix(f"{START} ") for text in texts]


def test_every_character_is_normalized_as_for_the_networks():
    characters = filter(comparable, map(chr, range(sys.maxunicode + 1)))
    captions = [
        f"a{character}B"
        for character in characters
        if unicodedata.category(character) != "Cs"
    ]
    assert len(captions) > 200_000
    assert [normalize_caption(caption) for caption in captions] == standardized(
        captions
    )


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]).filter(comparable)))
def test_every_caption_is_normalized_as_for_the_networks(caption):
    assert [normalize_caption(caption)] == standardized([caption])


@given(st.text())
def test_normalization_is_idempotent(caption):
    assert normalize_caption(normalize_caption(caption)) == normalize_caption(caption)


def test_words_are_separated_by_single_spaces():
    assert normalize_caption(" A man's snow_board,\n 2nd… ΟΔΟΣ 木! ") == (
        "a man s snow board 2nd οδος 木"
    )
    assert normalize_caption("?!") == ""


def test_references_without_a_word_are_removed():
    assert normalize_references([["A dog!", "...", ""], [], ["?"]]) == [
        ["a dog"],
        [],
        [],
    ]


def test_images_without_references_are_not_scored():
    captions, references = scorable_pairs(
        ["One.", "Two.", "", "Four."], [["A", "?"], [], ["B"], ["!"]]
    )
    assert captions == ["one", ""] and references == [["a"], ["b"]]
    with pytest.raises(ValueError, match="Received: 2 images"):
        scorable_pairs(["a", "b"], [[], ["?"]])
    with pytest.raises(ValueError, match="Received: 2 captions and 1 lists"):
        scorable_pairs(["a", "b"], [["a"]])
