"""Cleans texts for a classifier inside a TensorFlow graph.

The same as `html.unescape` and `kerasgan.data.label_words.mask_label_words`, for
exported models, which do not run Python. docs/export.md lists the differences.
"""

import html
import html.entities
from collections.abc import Iterable

import tensorflow as tf

from kerasgan.data.label_words import (
    MAX_JOINED_WORDS,
    MAX_PASSES,
    MAX_TEXT_LENGTH,
    normalize_word,
)

SEPARATOR = "\ufdd1"  # a noncharacter, which Unicode reserves for internal use
# A word, its possessive `'s`, and the character that shows that the possessive ends.
WORD = r"([\pL\pN][\pL\pN\pM]*)(?:(['’][sS])([^\pL\pN]|\z))?"
NAMED_ENTITIES = html.entities.html5  # names with and some also without semicolon
LONGEST_FIRST = sorted(NAMED_ENTITIES, key=len, reverse=True)
NUMERIC_ENTITY = "&#(?:[0-9]+|[xX][0-9a-fA-F]+);?"
ENTITY = f"{NUMERIC_ENTITY}|&(?:{'|'.join(LONGEST_FIRST)})"
NUM_DIGITS = 7  # of the largest code point, 1114111
# Code points for which HTML defines another character, or none.
SPECIAL_CODE_POINTS = [*range(0xA0), *range(0xFDD0, 0xFDF0)]
SPECIAL_CODE_POINTS += [
    plane + offset
    for plane in range(0, 2**20 + 1, 2**16)
    for offset in (0xFFFE, 0xFFFF)
]


class TextCleaner(tf.Module):
    """Unescapes HTML entities and removes the words that name a class.

    Args:
        masked_words: the words to remove, see `kerasgan.data.label_words.label_words`.
    """

    def __init__(self, masked_words: Iterable[str]):
        super().__init__()
        named = {f"&{name}": text for name, text in NAMED_ENTITIES.items()}
        special = {code: html.unescape(f"&#{code};") for code in SPECIAL_CODE_POINTS}
        inflections = {
            inflection: "" for word in masked_words for inflection in _inflections(word)
        }
        # All tables return SEPARATOR, which is not in any text, for unknown keys.
        self.named_entities = _lookup_table(named, tf.string)
        self.special_code_points = _lookup_table(special, tf.int32)
        self.masked_words = (
            _lookup_table(inflections, tf.string) if inflections else None
        )

    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Cleans texts.

        Args:
            texts: strings `(n,)`; bytes that are not UTF-8 become U+FFFD.

        Returns:
            UTF-8 strings `(n,)`.
        """
        # At first in bytes, at most 4 a character, which is fast for very long texts.
        texts = tf.strings.substr(texts, 0, 4 * MAX_TEXT_LENGTH)
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")
        texts = tf.strings.substr(texts, 0, MAX_TEXT_LENGTH, unit="UTF8_CHAR")
        texts = tf.strings.regex_replace(texts, SEPARATOR, "\ufffd")
        if self.masked_words is None:
            return self._unescape(texts)
        return _repeat_until_unchanged(self._unescape_and_mask, texts)

    def _unescape_and_mask(self, texts):
        return self._mask(self._unescape(texts))

    def _unescape(self, texts):
        """Unescapes repeatedly: some texts are escaped more than once."""
        return _repeat_until_unchanged(self._unescape_once, texts)

    def _unescape_once(self, texts):
        texts = tf.strings.regex_replace(texts, ENTITY, rf"{SEPARATOR}\0{SEPARATOR}")
        pieces = tf.strings.split(texts, SEPARATOR)
        named = self.named_entities.lookup(pieces.values)
        named = tf.where(named == SEPARATOR, pieces.values, named)
        is_numeric = tf.strings.regex_full_match(pieces.values, NUMERIC_ENTITY)
        numeric = self._unescape_numeric(pieces.values)
        values = tf.where(is_numeric, numeric, named)
        return _join(values, pieces.value_rowids(), pieces.nrows())

    def _unescape_numeric(self, entities):
        """Converts `&#65;` and `&#x41;`; the result for other strings is undefined."""
        is_hexadecimal = tf.strings.regex_full_match(entities, "(?i)&#x.*")
        base = tf.where(is_hexadecimal, 16, 10)
        digits = tf.strings.lower(entities)
        digits = tf.strings.regex_replace(digits, "^&#x?0*|;$", "")
        too_large = tf.strings.length(digits) > NUM_DIGITS
        digits = tf.strings.join(["0" * NUM_DIGITS, digits])
        digits = tf.strings.substr(digits, -NUM_DIGITS, NUM_DIGITS)
        digits = tf.io.decode_raw(digits, tf.uint8, fixed_length=NUM_DIGITS)
        digits = tf.cast(digits, tf.int32)
        digits -= tf.where(digits < ord("a"), ord("0"), ord("a") - 10)
        powers = base[:, None] ** tf.range(NUM_DIGITS)[::-1]
        codes = tf.where(too_large, -1, tf.reduce_sum(digits * powers, axis=-1))
        characters = tf.strings.unicode_encode(
            codes[:, None], "UTF-8", errors="replace"
        )
        special = self.special_code_points.lookup(codes)
        return tf.where(special == SEPARATOR, characters, special)

    def _mask(self, texts):
        pattern = rf"{SEPARATOR}\1{SEPARATOR}\2{SEPARATOR}\3"
        texts = tf.strings.regex_replace(texts, WORD, pattern)
        # Appends a space to each row in the place of a word, so that words of different
        # rows are not joined.
        texts = tf.strings.join([texts, SEPARATOR, " ", SEPARATOR])
        pieces = tf.strings.split(texts, SEPARATOR)
        before, words, after = tf.unstack(tf.reshape(pieces.values, (-1, 3)), axis=1)
        lengths = self._match_lengths(tf.strings.lower(words, encoding="utf-8"))
        kept = tf.where(words == " ", "", tf.strings.join([words, after]))
        kept = tf.strings.join([before, tf.where(lengths > 0, " ", kept)])
        kept = tf.where(_is_visited(lengths), kept, "")
        return _join(kept, pieces.value_rowids()[::3], pieces.nrows())

    def _match_lengths(self, words):
        """Returns how many words from each on, joined, are a masked word; 0 if none."""
        joined, lengths = words, tf.zeros_like(words, tf.int32)
        for length in range(1, MAX_JOINED_WORDS + 1):
            is_masked = self.masked_words.lookup(joined) == ""
            lengths = tf.where(is_masked, length, lengths)
            joined = tf.strings.join([joined, tf.roll(words, -length, axis=0)])
        return lengths


def _join(pieces, rows, num_rows):
    """Joins the pieces of each text.

    `tf.strings.reduce_join` would need memory for all texts times the longest.
    """
    return tf.strings.unsorted_segment_join(pieces, rows, num_rows)


def _lookup_table(mapping, key_dtype):
    keys = tf.constant(list(mapping), key_dtype)
    values = tf.constant(list(mapping.values()), tf.string)
    initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
    return tf.lookup.StaticHashTable(initializer, SEPARATOR)


def _inflections(word):
    """Returns all words with the same `normalize_word`: singulars and plurals."""
    word = normalize_word(word)
    singulars = word, word + "e", *(word[:-1] + end for end in ("ie", "ve", "fe"))
    candidates = [singular + end for singular in singulars for end in ("", "s")]
    return [candidate for candidate in candidates if normalize_word(candidate) == word]


def _repeat_until_unchanged(function, texts):
    def step(_, texts):
        updated = tf.ensure_shape(function(texts), texts.shape)
        return tf.reduce_any(updated != texts), updated

    start = tf.constant(True), texts
    return tf.while_loop(
        lambda changed, _: changed, step, start, maximum_iterations=MAX_PASSES
    )[1]


def _is_visited(lengths):
    """Returns which words are visited if each match is skipped from left to right.

    All words of all texts are processed at once; the number of steps doubles in each
    iteration.

    Args:
        lengths: int32 `(n,)`, the number of words of the match that starts at each
            word, or 0.

    Returns:
        bool `(n,)`.
    """
    num_words = tf.size(lengths)
    following = tf.range(num_words) + tf.maximum(lengths, 1)
    following = tf.concat([following, [num_words]], axis=0)  # the end follows itself
    visited = tf.range(num_words + 1) == 0

    def double(visited, following):
        reached = tf.math.unsorted_segment_max(
            tf.cast(visited, tf.int32), following, num_words + 1
        )
        return visited | (reached > 0), tf.gather(following, following)

    visited, _ = tf.while_loop(
        lambda _, following: tf.reduce_any(following != num_words),
        double,
        (visited, following),
    )
    return visited[:num_words]
