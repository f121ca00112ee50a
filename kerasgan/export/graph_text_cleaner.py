"""Texts as a classifier reads them, inside a TensorFlow graph.

`html.unescape` and `kerasgan.data.label_words.mask_label_words` once more, for exported
models, which have no Python. What is not the same stands in docs/export.md.
"""

import html
import html.entities

import tensorflow as tf

from kerasgan.data.label_words import MAX_PASSES, MAX_TEXT_LENGTH, RUN, comparable

MARK = "\ufdd1"  # a code point that Unicode keeps free for such use
# A word, its possessive, and what shows that the possessive ends there.
WORD = r"([\pL\pN][\pL\pN\pM]*)(?:(['’][sS])([^\pL\pN]|\z))?"
NAMES = html.entities.html5  # with their semicolons, some without, too
LONGEST_FIRST = sorted(NAMES, key=len, reverse=True)
NUMBER = "&#(?:[0-9]+|[xX][0-9a-fA-F]+);?"
ENTITY = f"{NUMBER}|&(?:{'|'.join(LONGEST_FIRST)})"
DIGITS = 7  # of the largest code point, 1114111
# Where HTML gives another character than the number's own, or none.
ODD_NUMBERS = [*range(0xA0), *range(0xFDD0, 0xFDF0)]
ODD_NUMBERS += [plane + last for plane in range(0, 2**20 + 1, 2**16)
                for last in (0xFFFE, 0xFFFF)]  # fmt: skip


class TextCleaner(tf.Module):
    """HTML entities become what they stand for, words that name a class go.

    Args:
        masked: the words that go, as `label_words` gives them.
    """

    def __init__(self, masked):
        super().__init__()
        entities = {f"&{name}": text for name, text in NAMES.items()}
        numbers = {number: html.unescape(f"&#{number};") for number in ODD_NUMBERS}
        self.entities = _table(entities, tf.string, MARK)
        self.numbers = _table(numbers, tf.int32, MARK)
        forms = {form: "" for word in masked for form in _forms(word)}
        self.forms = _table(forms, tf.string, MARK) if forms else None

    def __call__(self, texts):
        """Strings `(n,)` to strings `(n,)`; bytes that are no UTF-8 become U+FFFD."""
        texts = tf.strings.substr(
            texts, 0, 4 * MAX_TEXT_LENGTH
        )  # bytes: enough, and few
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")
        texts = tf.strings.substr(texts, 0, MAX_TEXT_LENGTH, unit="UTF8_CHAR")
        texts = tf.strings.regex_replace(texts, MARK, "\ufffd")
        return _until_same(self._once, texts) if self.forms else self._unescape(texts)

    def _once(self, texts):
        return self._mask(self._unescape(texts))

    def _unescape(self, texts):
        """Again and again: some texts were escaped more than once."""
        return _until_same(self._unescape_once, texts)

    def _unescape_once(self, texts):
        texts = tf.strings.regex_replace(texts, ENTITY, rf"{MARK}\0{MARK}")
        pieces = tf.strings.split(texts, MARK)
        named = self.entities.lookup(pieces.values)
        named = tf.where(named == MARK, pieces.values, named)
        numbered = tf.strings.regex_full_match(pieces.values, NUMBER)
        values = tf.where(numbered, self._characters(pieces.values), named)
        return _joined(values, pieces.value_rowids(), pieces.nrows())

    def _characters(self, entities):
        """`&#65;` and `&#x41;` to characters; what is neither, to any."""
        base = tf.where(tf.strings.regex_full_match(entities, "(?i)&#x.*"), 16, 10)
        digits = tf.strings.lower(entities)
        digits = tf.strings.regex_replace(digits, "^&#x?0*|;$", "")
        too_large = tf.strings.length(digits) > DIGITS
        digits = tf.strings.substr(
            tf.strings.join(["0" * DIGITS, digits]), -DIGITS, DIGITS
        )
        digits = tf.cast(
            tf.io.decode_raw(digits, tf.uint8, fixed_length=DIGITS), tf.int32
        )
        digits -= tf.where(digits < ord("a"), ord("0"), ord("a") - 10)
        powers = base[:, None] ** tf.range(DIGITS)[::-1]
        numbers = tf.where(too_large, -1, tf.reduce_sum(digits * powers, axis=-1))
        plain = tf.strings.unicode_encode(numbers[:, None], "UTF-8", errors="replace")
        odd = self.numbers.lookup(numbers)
        return tf.where(odd == MARK, plain, odd)

    def _mask(self, texts):
        texts = tf.strings.regex_replace(texts, WORD, rf"{MARK}\1{MARK}\2{MARK}\3")
        # Each row ends with a word that is none, over which no run reaches.
        pieces = tf.strings.split(tf.strings.join([texts, MARK, " ", MARK]), MARK)
        before, words, after = tf.unstack(tf.reshape(pieces.values, (-1, 3)), axis=1)
        length = self._runs(tf.strings.lower(words, encoding="utf-8"))
        own = tf.where(words == " ", "", tf.strings.join([words, after]))
        own = tf.strings.join([before, tf.where(length > 0, " ", own)])
        own = tf.where(_reached(length), own, "")
        return _joined(own, pieces.value_rowids()[::3], pieces.nrows())

    def _runs(self, words):
        """How many words from each on name a class when written as one; 0: none do."""
        joined, length = words, tf.zeros_like(words, tf.int32)
        for width in range(1, RUN + 1):
            length = tf.where(self.forms.lookup(joined) == "", width, length)
            joined = tf.strings.join([joined, tf.roll(words, -width, axis=0)])
        return length


def _joined(pieces, rows, count):
    """Pieces to the texts that they are of. `tf.strings.reduce_join` takes memory for
    all texts times the longest."""
    return tf.strings.unsorted_segment_join(pieces, rows, count)


def _table(entries, dtype, default):
    keys = tf.constant(list(entries), dtype)
    values = tf.constant(list(entries.values()), tf.string)
    initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
    return tf.lookup.StaticHashTable(initializer, default)


def _forms(word):
    """All that is `comparable` to a word that `label_words` gave: its plurals."""
    word = comparable(word)
    singular = word, word + "e", *(word[:-1] + end for end in ("ie", "ve", "fe"))
    forms = [form + end for form in singular for end in ("", "s")]
    return [form for form in forms if comparable(form) == word]


def _until_same(change, texts):
    def step(_, texts):
        changed = tf.ensure_shape(change(texts), texts.shape)
        return tf.reduce_any(changed != texts), changed

    start = tf.constant(True), texts
    return tf.while_loop(
        lambda going, _: going, step, start, maximum_iterations=MAX_PASSES
    )[1]


def _reached(length):
    """Where one stops who reads from left to right and takes each run at a step.

    All words of all texts at once, by doubling the steps.

    Args:
        length: int32 `(n,)`, how many words the run has that starts at each; or 0.

    Returns:
        bool `(n,)`.
    """
    count = tf.size(length)
    steps = tf.range(count) + tf.maximum(length, 1)
    steps = tf.concat([steps, [count]], axis=0)  # the end, where one stays
    reached = tf.range(count + 1) == 0

    def double(reached, steps):
        further = tf.math.unsorted_segment_max(
            tf.cast(reached, tf.int32), steps, count + 1
        )
        return reached | (further > 0), tf.gather(steps, steps)

    reached, _ = tf.while_loop(
        lambda _, steps: tf.reduce_any(steps != count), double, (reached, steps)
    )
    return reached[:count]
