"""N-grams of words and characters, inside a TensorFlow graph."""

import tensorflow as tf

# RE2's \s and \w match ASCII only; these match what Python's str.split and \w do.
WHITESPACE = (
    r"[\x{9}-\x{d}\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}"
    r"\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+"
)
NON_WORD = r"[^\pL\pN_]+"
# TensorFlow's `lower` ends a text at NUL, so NUL is replaced by a code point that
# Unicode reserves for such use.
NUL, NUL_REPLACEMENT = "\0", "\ufdd0"


def lowercase(texts: tf.Tensor) -> tf.Tensor:
    """Lower-cases strings as Python does; invalid UTF-8 becomes U+FFFD.

    Args:
        texts: strings `(n,)`.
    """
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")
    texts = tf.strings.regex_replace(texts, r"\x00", NUL_REPLACEMENT)
    return tf.strings.lower(texts, encoding="utf-8")


def word_ngrams(
    texts: tf.Tensor, ngram_range: tuple[int, int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Splits texts into n-grams of words of at least two word characters.

    Args:
        texts: lower-case strings `(n,)`.
        ngram_range: minimum and maximum number of words of an n-gram.

    Returns:
        N-grams `(m,)`, words joined by a space, and the row of each one's text, int64
        `(m,)`.
    """
    words = tf.strings.split(tf.strings.regex_replace(texts, NON_WORD, " "))
    letters = tf.strings.length(words, unit="UTF8_CHAR")
    words = tf.ragged.boolean_mask(words, letters >= 2)
    ngrams = tf.strings.ngrams(words, _widths(ngram_range), separator=" ")
    return ngrams.values, _rows(ngrams)


def _rows(ragged):
    """Like `value_rowids`, which needs memory for all rows times the longest."""
    places = tf.range(tf.size(ragged.values, tf.int64))
    rows = tf.searchsorted(ragged.row_splits, places, side="right", out_type=tf.int64)
    return rows - 1


def char_ngrams(
    texts: tf.Tensor, ngram_range: tuple[int, int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Splits texts into n-grams of characters of words with a space on either side.

    A word that is shorter than the minimum, spaces included, counts once as a whole.

    Args:
        texts: lower-case strings `(n,)`.
        ngram_range: minimum and maximum number of characters of an n-gram.

    Returns:
        N-grams `(m,)`, and the row of each one's text, int64 `(m,)`.
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
