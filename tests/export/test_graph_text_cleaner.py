"""TensorFlow and Python clean texts equally."""

import html.entities
import random

import pytest
import tensorflow as tf

from kerasgan.data.label_words import MAX_TEXT_LENGTH, label_words, mask_label_words
from kerasgan.export.graph_text_cleaner import SEPARATOR, TextCleaner

LABELS = ["FlipFlops", "T-shirts", "Accessories", "Scarves", "Shoe", "Dress", "Boxes"]
ENTITIES = ["", "plain", "Fish &amp; chips", "&#39;n&rsquo;", "&lt;b&gt;&quot;&nbsp;x"]
ENTITIES += ["caf&eacute; caf&eacute", "&notit; &notin; &notinfoo;", "&ampere;", "&;"]
ENTITIES += ["&amp;amp;amp;lt;", "&#x41;&#X6a;&#0065", "&#128;&#13;&#0;&#xD800;"]
ENTITIES += ["&#1114111;&#1114112;&#99999999999;", "&#xfdd1;&#64977;&#x1fffe;", "&#;"]
ENTITIES += ["&#x;&#xg", "犬&hearts;", "&" * 50, "a\0b &acE; &NotEqualTilde;"]
WORDS = ["flip", "Flops", "FLOP", "t", "T", "shirt", "Shirts", "accessory", "scarves"]
WORDS += ["scarf", "shoes", "shoe", "dresses", "box", "a", "red", "été", "e\u0301"]
WORDS += ["犬"]
GAPS = [" ", "  ", "-", "_", "'s ", "’S", "'s's ", "'", ", ", "\n", "\u3000", "&amp;"]
GAPS += ["&#32;", "&#39;s ", "\u0301 ", "", "."]


def clean(texts, masked_words=()):
    cleaner = tf.function(TextCleaner(masked_words))
    cleaned = cleaner(tf.constant(texts, tf.string)).numpy()
    return [" ".join(text.decode().split()) for text in cleaned]


def test_entities():
    texts = ENTITIES + [f"x&{name}y" for name in html.entities.html5]
    texts += [f"&#{number};" for number in range(300)]
    assert clean(texts) == mask_label_words(texts, [])


def test_words_that_name_a_class():
    generator = random.Random(0)
    texts = ["", "shirt", "T shirt's and flip-flops", "flip flip flop flop shoes"]
    for _ in range(1000):
        words = generator.choices(WORDS, k=generator.randrange(1, 9))
        texts.append("".join(word + generator.choice(GAPS) for word in words))
    masked_words = label_words(LABELS)
    assert {"flipflop", "tshirt", "accessory", "scarf"} <= set(masked_words)
    assert clean(texts, masked_words) == mask_label_words(texts, masked_words)
    assert clean(texts) == mask_label_words(texts, [])


@pytest.mark.parametrize("masked_words", [[], ["flipflop", "shirt"]])
def test_texts_that_need_many_passes(masked_words):
    counts = range(12)
    texts = ["&" + "amp;" * count + "lt;" for count in counts]
    texts += ["flip " * count + "flop " * count for count in counts]
    texts += ["&" + "amp;" * count + "amp; shirt" + "&shirt lt;" for count in counts]
    assert clean(texts, masked_words) == mask_label_words(texts, masked_words)


@pytest.mark.parametrize("masked_words", [[], ["shirt"]])
def test_long_texts_are_truncated(masked_words):
    unit = "a red T-shirt &amp; 犬's caf&eacute; "
    for prefix in ("", "🙂é"):  # so that the limit is at another byte
        text = prefix + unit * (MAX_TEXT_LENGTH // 30)
        assert len(text) > MAX_TEXT_LENGTH
        cleaned = clean([text], masked_words)
        assert cleaned == mask_label_words([text], masked_words)
        assert cleaned == clean([text[:MAX_TEXT_LENGTH]], masked_words)
    (cleaned,) = clean(["🙂" * 2 * MAX_TEXT_LENGTH], masked_words)
    assert len(cleaned) == MAX_TEXT_LENGTH


@pytest.mark.parametrize("unit", ["flip flop &amp; a shirt ", "&" + "amp;" * 1000])
def test_a_text_of_ten_megabytes(unit):
    text, masked_words = unit * (10_000_000 // len(unit)), ["shirt", "flipflop"]
    expected = mask_label_words([text[:MAX_TEXT_LENGTH]], masked_words)
    assert clean([text], masked_words) == expected


def test_memory_does_not_depend_on_the_longest_text():
    """Joining a ragged tensor would tile each row to the length of the longest."""
    texts = tf.TensorSpec([None], tf.string)
    function = tf.function(TextCleaner(["shirt"])).get_concrete_function(texts)
    graph = function.graph.as_graph_def()
    nodes = list(graph.node)
    for library_function in graph.library.function:
        nodes += library_function.node_def
    operators = {node.op for node in nodes}
    assert "UnsortedSegmentJoin" in operators and "Tile" not in operators


@pytest.mark.parametrize("masked_words", [[], ["shirt"]])
def test_any_bytes_are_accepted(masked_words):
    cleaner = TextCleaner(masked_words)
    assert cleaner(tf.constant([], tf.string)).shape == (0,)
    texts = [b"\xff\xfe no UTF-8 \x80", SEPARATOR * 3, "shirt" + SEPARATOR]
    texts += ["a" * 10_000_000]
    cleaned = cleaner(tf.constant(texts)).numpy()
    assert cleaned[0].decode() == "\ufffd\ufffd no UTF-8 \ufffd"
    assert cleaned[1].decode() == "\ufffd" * 3
    kept = "" if masked_words else "shirt"
    assert cleaned[2].decode().strip() == kept + "\ufffd"
    assert cleaned[3] == b"a" * MAX_TEXT_LENGTH
