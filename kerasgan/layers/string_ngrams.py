"""N-grams of words and characters, inside a TensorFlow graph."""

import tensorflow as tf

# RE2's \s and \w know ASCII alone; these are what Python's str.split and \w take.
WHITESPACE = (
    r"[\x{9}-\x{d}\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}"
    r"\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+"
)
NON_WORD = r"[^\pL\pN_]+"
# TensorFlow's `lower` ends a text at NUL, so NUL is read as a code point that Unicode
# keeps free for such use and that no text holds.
NUL, NUL_REPLACEMENT = "\0", "\ufdd0"


def lowercase(texts):
    """Lower-cases strings `(n,)` as Python does; what is no UTF-8 becomes U+FFFD."""
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")
    texts = tf.strings.regex_replace(texts, r"\x00", NUL_REPLACEMENT)
    return tf.strings.lower(texts, encoding="utf-8")


def word_ngrams(texts, ngram_range):
    """N-grams of words of at least two letters, digits or underscores.

    Args:
        texts: strings `(n,)`, lower-case.
        ngram_range: least and most words of an n-gram.

    Returns:
        N-grams `(m,)`, words joined by a space, and the text of each, int64 `(m,)`.
    """
    words = tf.strings.split(tf.strings.regex_replace(texts, NON_WORD, " "))
    letters = tf.strings.length(words, unit="UTF8_CHAR")
    words = tf.ragged.boolean_mask(words, letters >= 2)
    ngrams = tf.strings.ngrams(words, _widths(ngram_range), separator=" ")
    return ngrams.values, _rows(ngrams)


def _rows(ragged):
    """As `value_rowids`, which takes memory for all rows times the longest."""
    places = tf.range(tf.size(ragged.values, tf.int64))
    rows = tf.searchsorted(ragged.row_splits, places, side="right", out_type=tf.int64)
    return rows - 1


def char_ngrams(texts, ngram_range):
    """N-grams of characters inside words that have a space before and after them.

    A word that is shorter than the least n, spaces included, counts once as it is.
    Arguments and results as for `word_ngrams`.
    """
    words = tf.strings.split(tf.strings.regex_replace(texts, WHITESPACE, " "))
    padded = tf.strings.join([" ", words.values, " "])
    ngrams = tf.strings.ngrams(
        tf.strings.unicode_split(padded, "UTF-8"),
        _widths(ngram_range),
        separator="",
        preserve_short_sequences=True,
    )
    return ngrams.values, tf.gather(words.value_rowids(), _rows(ngrams))


def _widths(ngram_range):
    return tuple(range(ngram_range[0], ngram_range[1] + 1))
