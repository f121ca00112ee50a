"""Words that name a class are removed in every spelling, and no other words are."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasgan.data.label_words import (
    MAX_TEXT_LENGTH,
    label_words,
    mask_label_words,
    normalize_word,
)


@pytest.mark.parametrize(
    "singular, plural",
    [
        ("dress", "dresses"),
        ("glass", "glasses"),
        ("watch", "watches"),
        ("clutch", "clutches"),
        ("moustache", "moustaches"),
        ("brush", "brushes"),
        ("box", "boxes"),
        ("shoe", "shoes"),
        ("potato", "potatoes"),
        ("scarf", "scarves"),
        ("knife", "knives"),
        ("glove", "gloves"),
        ("accessory", "accessories"),
        ("hoodie", "hoodies"),
        ("tie", "ties"),
        ("bra", "bras"),
        ("size", "sizes"),
        ("bikini", "bikinis"),
        ("jean", "Jeans"),
        ("é", "e\u0301"),
        ("Straße", "STRASSE"),
    ],
)
def test_singular_and_plural_have_the_same_form(singular, plural):
    assert normalize_word(singular) == normalize_word(plural)


@pytest.mark.parametrize(
    "first, second",
    [("cap", "cape"), ("car", "care"), ("bra", "brass"), ("bus", "bu"), ("to", "toe")],
)
def test_similar_words_have_different_forms(first, second):
    assert normalize_word(first) != normalize_word(second)


@pytest.mark.parametrize(
    "name, words",
    [
        ("FlipFlops", ["flip", "flipflop", "flop"]),
        ("T-shirts", ["shirt", "tshirt"]),
        ("TShirts", ["shirt", "tshirt"]),
        ("Tshirts", ["tshirt"]),
        ("Flip_Flops", ["flip", "flipflop", "flop"]),
        ("Track Pants", ["pant", "track", "trackpant"]),
        ("Women&#39;s Tops", ["top", "women", "womentop"]),
        ("Bags &amp;amp; Belts", ["bag", "bagsbelt", "belt"]),
        ("Necklace and Chains", ["chain", "necklace", "necklaceandchain"]),
        ("Others", []),
        ("for the", []),
        ("1", []),
        ("2 000", []),
        ("X", []),
        ("", []),
        ("कमीज़", ["कमीज़"]),
        ("Ёлки", ["ёлки"]),
    ],
)
def test_a_name_gives_its_words(name, words):
    assert label_words([name]) == words


def test_label_words_are_sorted_and_unique():
    assert label_words(["Tops", "Bags", "Bag", "Top"]) == ["bag", "top"]


KEYS = label_words(["Tshirts", "FlipFlops", "Dresses", "Scarves", "Ties"])


@pytest.mark.parametrize(
    "text, masked",
    [
        ("Puma T shirt", "Puma"),
        ("Puma T-Shirt", "Puma"),
        ("Puma TSHIRTS, blue", "Puma , blue"),
        ("Puma T - Shirt blue", "Puma blue"),
        ("Puma tee&nbsp;shirt\n\tblue", "Puma tee shirt blue"),
        ("T&shy;shirt", ""),
        ("flip flops and flip-flop’s", "and"),
        ("Dress's  and dressing", "and dressing"),
        ("A SCARF, scarves; scarfed", "A , ; scarfed"),
        ("untied tie tier", "untied tier"),
        ("T dresses shirt", ""),  # the parts of T-shirt become neighbors
        ("t t shirts shirt", ""),
        ("shirt t", "shirt t"),
        ("H&amp;amp;M", "H&M"),
        ("  two   spaces ", "two spaces"),
        ("", ""),
    ],
)
def test_masking_removes_these_words_and_no_others(text, masked):
    assert mask_label_words([text], KEYS) == [masked]


def test_the_work_on_a_text_is_bounded():
    """A few passes are enough for usual texts; others could take forever."""
    (masked,) = mask_label_words(["&" + "amp;" * 5000], [])
    assert masked == "&" + "amp;" * 4992
    (masked,) = mask_label_words(["a" * 2 * MAX_TEXT_LENGTH], [])
    assert len(masked) == MAX_TEXT_LENGTH
    nested = "flip " * 5000 + "flop " * 5000
    (masked,) = mask_label_words([nested], ["flipflop"])
    assert masked.count("flip") == 4992


def test_words_need_not_be_normalized():
    assert mask_label_words(["red flip flops"], ["Flip Flop"]) == ["red"]


def test_without_words_only_white_space_and_entities_change():
    assert mask_label_words(["1 &lt; 2", " a  b"], []) == ["1 < 2", "a b"]


PIECES = st.sampled_from(
    [
        "t",
        "T",
        "shirt",
        "Shirts",
        "tshirts",
        "flip",
        "Flops",
        "flip-flop",
        "dress",
        "dresses's",
        "scarves",
        "tie",
        "ti",
        "es",
        "'s",
        "&amp;",
        "&amp;amp;lt;",
        "&",
        "amp;",
        "#",
        "39;",
        "é",
        "ß",
        "木",
        "red",
        "_",
        "'",
        "’s",
        ",",
        "-",
        "\n",
        "\xa0",
        "x",
    ]
)
# Without combining marks, so that a short regular expression matches a word.
LETTERS = st.text(st.characters(exclude_categories=["Cs", "M"]), max_size=4)
TEXTS = st.builds(
    str.join, st.sampled_from(["", " ", "-"]), st.lists(PIECES | LETTERS, max_size=8)
)


def find_words(text):
    return re.findall(r"([^\W_]+)(?:['’][sS](?![^\W_]))?", text)


def unescape(text):
    while text != html.unescape(text):
        text = html.unescape(text)
    return text


@settings(deadline=None)
@given(TEXTS)
def test_no_key_is_left_and_the_rest_keeps_its_order(text):
    (masked,) = mask_label_words([text], KEYS)
    assert mask_label_words([masked], KEYS) == [masked]
    words = find_words(masked)
    for length in (1, 2, 3):
        for start in range(len(words) - length + 1):
            assert normalize_word("".join(words[start : start + length])) not in KEYS
    before = iter(find_words(unescape(text)))
    assert all(word in before for word in words)


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N"]), max_size=8))
def test_normalizing_twice_changes_nothing(word):
    assert normalize_word(normalize_word(word)) == normalize_word(word)
