"""Texts cleaned by TensorFlow as by Python."""

import html.entities
import random

import pytest
import tensorflow as tf

from kerasgan.data.label_words import MAX_TEXT_LENGTH, label_words, mask_label_words
from kerasgan.export.graph_text_cleaner import MARK, TextCleaner

LABELS = ["FlipFlops", "T-shirts", "Accessories", "Scarves", "Shoe", "Dress", "Boxes"]
ENTITIES = ["", "plain", "Fish &amp; chips", "&#39;n&rsquo;", "&lt;b&gt;&quot;&nbsp;x"]
ENTITIES += ["caf&eacute; caf&eacute", "&notit; &notin; &notinfoo;", "&ampere;", "&;"]
ENTITIES += ["&amp;amp;amp;lt;", "&#x41;&#X6a;&#0065", "&#128;&#13;&#0;&#xD800;"]
ENTITIES += ["&#1114111;&#1114112;&#99999999999;", "&#xfdd1;&#64977;&#x1fffe;", "&#;"]
ENTITIES += ["&#x;&#xg", "犬&hearts;", "&" * 50, "a\0b &acE; &NotEqualTilde;"]
PARTS = ["flip", "Flops", "FLOP", "t", "T", "shirt", "Shirts", "accessory", "scarves"]
PARTS += [
    "scarf",
    "shoes",
    "shoe",
    "dresses",
    "box",
    "a",
    "red",
    "été",
    "e\u0301",
    "犬",
]
GAPS = [" ", "  ", "-", "_", "'s ", "’S", "'s's ", "'", ", ", "\n", "\u3000", "&amp;"]
GAPS += ["&#32;", "&#39;s ", "\u0301 ", "", "."]


def cleaned(texts, masked=()):
    found = tf.function(TextCleaner(masked))(tf.constant(texts, tf.string)).numpy()
    return [" ".join(text.decode().split()) for text in found]


def test_entities():
    texts = ENTITIES + [f"x&{name}y" for name in html.entities.html5]
    texts += [f"&#{number};" for number in range(300)]
    assert cleaned(texts) == mask_label_words(texts, [])


def test_words_that_name_a_class():
    draw = random.Random(0)
    texts = ["", "shirt", "T shirt's and flip-flops", "flip flip flop flop shoes"]
    for _ in range(1000):
        words = draw.choices(PARTS, k=draw.randrange(1, 9))
        texts.append("".join(word + draw.choice(GAPS) for word in words))
    masked = label_words(LABELS)
    assert {"flipflop", "tshirt", "accessory", "scarf"} <= set(masked)
    assert cleaned(texts, masked) == mask_label_words(texts, masked)
    assert cleaned(texts) == mask_label_words(texts, [])


@pytest.mark.parametrize("masked", [[], ["flipflop", "shirt"]])
def test_what_was_escaped_very_often(masked):
    often = range(12)
    texts = ["&" + "amp;" * times + "lt;" for times in often]
    texts += ["flip " * times + "flop " * times for times in often]
    texts += ["&" + "amp;" * times + "amp; shirt" + "&shirt lt;" for times in often]
    assert cleaned(texts, masked) == mask_label_words(texts, masked)


@pytest.mark.parametrize("masked", [[], ["shirt"]])
def test_long_texts_are_read_up_to_a_limit(masked):
    unit = "a red T-shirt &amp; 犬's caf&eacute; "
    for odd in ("", "🙂é"):  # so that the limit lies elsewhere in bytes
        text = odd + unit * (MAX_TEXT_LENGTH // 30)
        assert len(text) > MAX_TEXT_LENGTH
        assert cleaned([text], masked) == mask_label_words([text], masked)
        assert cleaned([text], masked) == cleaned([text[:MAX_TEXT_LENGTH]], masked)
    assert len(cleaned(["🙂" * 2 * MAX_TEXT_LENGTH], masked)[0]) == MAX_TEXT_LENGTH


@pytest.mark.parametrize("unit", ["flip flop &amp; a shirt ", "&" + "amp;" * 1000])
def test_a_text_as_long_as_a_book(unit):
    book, masked = unit * (10_000_000 // len(unit)), ["shirt", "flipflop"]
    start = book[:MAX_TEXT_LENGTH]
    assert cleaned([book], masked) == mask_label_words([start], masked)


def test_a_long_text_takes_no_memory_for_the_others():
    """TensorFlow tiles each row of a ragged tensor to the longest's length when it
    joins or numbers them."""
    texts = tf.TensorSpec([None], tf.string)
    clean = tf.function(TextCleaner(["shirt"])).get_concrete_function(texts)
    graph = clean.graph.as_graph_def()
    nodes = [*graph.node, *(n for one in graph.library.function for n in one.node_def)]
    kinds = {node.op for node in nodes}
    assert "UnsortedSegmentJoin" in kinds and "Tile" not in kinds


@pytest.mark.parametrize("masked", [[], ["shirt"]])
def test_any_bytes_are_a_text(masked):
    cleaner = TextCleaner(masked)
    assert cleaner(tf.constant([], tf.string)).shape == (0,)
    odd = [b"\xff\xfe no UTF-8 \x80", MARK * 3, "shirt" + MARK, "a" * 10_000_000]
    found = cleaner(tf.constant(odd)).numpy()
    assert found[0].decode() == "\ufffd\ufffd no UTF-8 \ufffd"
    assert found[1].decode() == "\ufffd" * 3
    assert found[2].decode() == ("" if masked else "shirt") + "\ufffd" or masked
    assert found[3] == odd[3][:MAX_TEXT_LENGTH].encode()
