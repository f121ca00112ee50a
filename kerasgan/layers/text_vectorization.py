"""Converts captions to token ids, equally in training, saved runs and exports."""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasgan.errors import UserError
from kerasgan.files import write_text

START = "[START]"
BATCH_SIZE = 4096  # captions that are processed at once


@keras.saving.register_keras_serializable(package="kerasgan")
def standardize(captions: tf.Tensor) -> tf.Tensor:
    """Converts captions to lower case, removes punctuation and prepends `[START]`.

    Letters and digits of all scripts are kept. The start token gives every caption at
    least one token, even if it is empty.

    Args:
        captions: a string tensor.

    Returns:
        A string tensor of the same shape, with words separated by single spaces.
    """
    words = tf.strings.lower(captions, encoding="utf-8")
    words = tf.strings.regex_replace(words, r"[^\pL\pN]+", " ")
    return tf.strings.join([START, tf.strings.strip(words)], separator=" ")


def split_words(caption: str) -> list[str]:
    """Splits a caption into words as `standardize` does, without the start token."""
    return standardize(tf.constant([caption])).numpy()[0].decode().split()[1:]


def outside_step(
    vectorizer: keras.layers.TextVectorization | None,
) -> keras.layers.TextVectorization | None:
    """Lets XLA compile the steps of a model that holds a vectorizer.

    Keras compiles no model with a layer of strings, but the models of this package
    tokenize in tf.data, before the step.

    Args:
        vectorizer: the result of `build_vectorizer`, or None.

    Returns:
        The vectorizer.
    """
    for layer in vectorizer._flatten_layers() if vectorizer else ():
        layer.supports_jit = True
    return vectorizer


def build_vectorizer(
    captions: Iterable[str] | None = None,
    vocabulary: Sequence[str] | None = None,
    vocabulary_size: int = 5000,
    sequence_length: int = 24,
) -> keras.layers.TextVectorization:
    """Builds the layer that converts captions to token ids.

    Args:
        captions: captions of the training split, whose words become the vocabulary,
            the most frequent first. Ignored if `vocabulary` is given.
        vocabulary: words of the vocabulary, as returned by `get_vocabulary`.
        vocabulary_size: maximum number of token ids. 0 is padding and 1 an unknown
            word.
        sequence_length: number of tokens of a caption, which is padded or truncated on
            the right.

    Returns:
        A `keras.layers.TextVectorization` from strings of shape `(n,)` to int64 token
        ids of shape `(n, sequence_length)`.

    Raises:
        ValueError: there are neither captions nor a vocabulary.
    """
    vectorizer = keras.layers.TextVectorization(
        max_tokens=vocabulary_size,
        standardize=standardize,
        output_sequence_length=sequence_length,
        vocabulary=vocabulary,
        name="vectorizer",
    )
    if vocabulary is None:
        if captions is None or isinstance(captions, str):
            raise ValueError(
                "build_vectorizer needs captions, a list of strings, or a vocabulary."
                f" Received: captions={captions!r}"
            )
        vectorizer.adapt(_batches(captions))
    return vectorizer


def _batches(captions):
    """Batches of captions, which may be more than fit into memory."""
    captions = iter(captions)
    batches = iter(lambda: list(itertools.islice(captions, BATCH_SIZE)), [])
    return tf.data.Dataset.from_generator(
        lambda: batches, output_signature=tf.TensorSpec((None,), tf.string)
    )


def load_or_build_vectorizer(
    path: Path | str,
    vocabulary_size: int,
    sequence_length: int,
    captions: Iterable[str],
) -> keras.layers.TextVectorization:
    """Builds a vectorizer from a vocabulary file, which is written if it is missing.

    Args:
        path: the vocabulary file.
        vocabulary_size: see `build_vectorizer`.
        sequence_length: see `build_vectorizer`.
        captions: captions whose words become the vocabulary if there is no file.

    Returns:
        A `keras.layers.TextVectorization`, see `build_vectorizer`.

    Raises:
        UserError: the file cannot be read.
    """
    if Path(path).is_file():
        return load_vectorizer(path, vocabulary_size, sequence_length)
    vectorizer = build_vectorizer(captions, None, vocabulary_size, sequence_length)
    save_vocabulary(vectorizer, path)
    return vectorizer


def load_vectorizer(
    path: Path | str, vocabulary_size: int, sequence_length: int
) -> keras.layers.TextVectorization:
    """Builds a vectorizer from a vocabulary file.

    Args:
        path: the vocabulary file.
        vocabulary_size: see `build_vectorizer`.
        sequence_length: see `build_vectorizer`.

    Returns:
        A `keras.layers.TextVectorization`, see `build_vectorizer`.

    Raises:
        UserError: the file cannot be read.
    """
    vocabulary = load_vocabulary(path)
    try:
        return build_vectorizer(None, vocabulary, vocabulary_size, sequence_length)
    except ValueError as error:
        raise UserError(f"The vocabulary {path} is damaged: {error}") from error


def get_vocabulary(vectorizer: keras.layers.TextVectorization) -> list[str]:
    """Returns the words of a vectorizer, the most frequent first.

    The tokens for padding and unknown words are not included.
    """
    return vectorizer.get_vocabulary(include_special_tokens=False)


def save_vocabulary(
    vectorizer: keras.layers.TextVectorization, path: Path | str
) -> None:
    """Writes the words of a vectorizer to a UTF-8 file, one per line, atomically."""
    write_text(Path(path), "".join(f"{word}\n" for word in get_vocabulary(vectorizer)))


def load_vocabulary(path: Path | str) -> list[str]:
    """Reads the words that `save_vocabulary` wrote; words contain no line breaks.

    Args:
        path: the vocabulary file.

    Raises:
        UserError: the file cannot be read, or has no end.
    """
    try:
        *words, end = Path(path).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The vocabulary {path} cannot be read: {error}") from error
    if end or not words:
        raise UserError(f"The vocabulary {path} is not complete.")
    return words


def tokenize(
    vectorizer: keras.layers.TextVectorization,
    captions: Sequence[str],
    batch_size: int = BATCH_SIZE,
) -> np.ndarray:
    """Converts captions to token ids.

    Args:
        vectorizer: the result of `build_vectorizer`.
        captions: n strings.
        batch_size: number of captions that are converted at once.

    Returns:
        An int32 array of shape `(n, sequence_length)`.
    """
    batches = tf.data.Dataset.from_tensor_slices(list(captions)).batch(batch_size)
    token_ids = [vectorizer(batch).numpy() for batch in batches]
    return tf.concat(token_ids, axis=0).numpy().astype("int32")
