"""The words that name a class are found in every spelling, and nothing else goes."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasgan.data.label_words import (
    MAX_TEXT_LENGTH,
    comparable,
    label_words,
    mask_label_words,
)


@pytest.mark.parametrize(
    "one, many",
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
def test_singular_and_plural_are_one(one, many):
    assert comparable(one) == comparable(many)


@pytest.mark.parametrize(
    "one, other",
    [("cap", "cape"), ("car", "care"), ("bra", "brass"), ("bus", "bu"), ("to", "toe")],
)
def test_words_that_only_look_alike_stay_two(one, other):
    assert comparable(one) != comparable(other)


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


def test_words_of_many_names_are_sorted_and_come_once():
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
        ("T dresses shirt", ""),  # the T-shirt comes together when the dresses go
        ("t t shirts shirt", ""),
        ("shirt t", "shirt t"),
        ("H&amp;amp;M", "H&M"),
        ("  two   spaces ", "two spaces"),
        ("", ""),
    ],
)
def test_texts_lose_these_words_and_no_others(text, masked):
    assert mask_label_words([text], KEYS) == [masked]


def test_what_costs_without_end_is_left():
    """A few passes see to what people write; more are taken for an attack."""
    (found,) = mask_label_words(["&" + "amp;" * 5000], [])
    assert found == "&" + "amp;" * 4992
    (found,) = mask_label_words(["a" * 2 * MAX_TEXT_LENGTH], [])
    assert len(found) == MAX_TEXT_LENGTH
    nested = "flip " * 5000 + "flop " * 5000
    (found,) = mask_label_words([nested], ["flipflop"])
    assert found.count("flip") == 4992


def test_words_of_one_s_own_need_no_preparation():
    assert mask_label_words(["red flip flops"], ["Flip Flop"]) == ["red"]


def test_without_words_only_spaces_and_entities_change():
    assert mask_label_words(["1 &lt; 2", " a  b"], []) == ["1 < 2", "a b"]


PIECES = st.sampled_from(
    "t T shirt Shirts tshirts flip Flops flip-flop dress dresses's scarves tie ti es 's"
    " &amp; &amp;amp;lt; & amp; # 39; é ß 木 red _ ' ’s , - \n \xa0 x".split(" ")
)
# Without marks, so that this page can say what a word is in one short expression.
LETTERS = st.text(st.characters(exclude_categories=["Cs", "M"]), max_size=4)
TEXTS = st.builds(
    str.join, st.sampled_from(["", " ", "-"]), st.lists(PIECES | LETTERS, max_size=8)
)


def words_of(text):
    return re.findall(r"([^\W_]+)(?:['’][sS](?![^\W_]))?", text)


def unescaped(text):
    while text != html.unescape(text):
        text = html.unescape(text)
    return text


@settings(deadline=None)
@given(TEXTS)
def test_no_key_is_left_and_the_rest_keeps_its_order(text):
    (masked,) = mask_label_words([text], KEYS)
    assert mask_label_words([masked], KEYS) == [masked]
    words = words_of(masked)
    for length in (1, 2, 3):
        for start in range(len(words) - length + 1):
            assert comparable("".join(words[start : start + length])) not in KEYS
    before = iter(words_of(unescaped(text)))
    assert all(word in before for word in words)


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N"]), max_size=8))
def test_the_form_of_a_form_is_the_same_form(word):
    assert comparable(comparable(word)) == comparable(word)
