"""Captions to token ids, the same way in training, in a saved run and in an export."""

from pathlib import Path

import keras
import tensorflow as tf

from kerasgan.files import write_text

START = "[START]"


@keras.saving.register_keras_serializable(package="kerasgan")
def standardize(captions):
    """Lower-cases, keeps letters and digits of any script, and opens with `[START]`.

    The opening gives every caption, an empty one too, at least one token.
    """
    words = tf.strings.lower(captions, encoding="utf-8")
    words = tf.strings.regex_replace(words, r"[^\pL\pN]+", " ")
    return tf.strings.join([START, tf.strings.strip(words)], separator=" ")


def words_of(caption):
    """The words of one caption as `standardize` sees them."""
    return standardize(tf.constant([caption])).numpy()[0].decode().split()[1:]


def build_vectorizer(captions=None, vocabulary=None, size=5000, length=24):
    """Builds the layer that turns captions into token ids.

    Args:
        captions: sequence of str whose words make the vocabulary, the commonest first;
            captions of the training split alone.
        vocabulary: a list of words instead, as `vocabulary_of` gave it.
        size: token ids at most; 0 is padding and 1 an unknown word.
        length: tokens a caption, padded or cut on the right.

    Returns:
        A `keras.layers.TextVectorization`: strings `(n,)` to int64 `(n, length)`.
    """
    vectorizer = keras.layers.TextVectorization(
        max_tokens=size,
        standardize=standardize,
        output_sequence_length=length,
        vocabulary=vocabulary,
        name="vectorizer",
    )
    if vocabulary is None:
        vectorizer.adapt(tf.data.Dataset.from_tensor_slices(list(captions)).batch(4096))
    return vectorizer


def stored_vectorizer(path, size, length, captions=()):
    """The vectorizer whose vocabulary a file holds; where there is none yet, one of
    the captions' words, whose vocabulary the file then holds."""
    if Path(path).is_file():
        return build_vectorizer(None, load_vocabulary(path), size, length)
    vectorizer = build_vectorizer(captions, None, size, length)
    save_vocabulary(vectorizer, path)
    return vectorizer


def vocabulary_of(vectorizer):
    """The words of a vectorizer without padding and unknown, the commonest first."""
    return vectorizer.get_vocabulary(include_special_tokens=False)


def save_vocabulary(vectorizer, path):
    """Writes a word a line, UTF-8, whole or not at all."""
    write_text(Path(path), "".join(f"{word}\n" for word in vocabulary_of(vectorizer)))


def load_vocabulary(path):
    """Reads what `save_vocabulary` wrote; no word holds a line break."""
    return Path(path).read_text(encoding="utf-8").split("\n")[:-1]


def tokenize(vectorizer, captions, batch_size=4096):
    """Strings `(n,)` to token ids `(n, length)`, a numpy int32 array."""
    batches = tf.data.Dataset.from_tensor_slices(list(captions)).batch(batch_size)
    ids = [vectorizer(batch).numpy() for batch in batches]
    return tf.concat(ids, axis=0).numpy().astype("int32")
