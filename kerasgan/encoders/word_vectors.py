"""Pretrained word vectors, as the initial values of an embedding.

They come with the pip package `wordllama` (MIT), whose table of 32,000 tokens was
trained on pairs of texts (https://github.com/dleemiller/WordLlama).
"""

import contextlib
import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from kerasgan.errors import UserError
from kerasgan.layers.text_vectorization import START

NO_WORDS = ("", "[UNK]", START)  # of a vocabulary; see `build_vectorizer`
RELATIVE_LENGTH = 3  # of the vectors to random ones; 1 was no better


def check_word_vectors(name: str | None) -> None:
    """Checks, without loading them, that word vectors are installed.

    Args:
        name: `"wordllama"`, or None for no word vectors.

    Raises:
        UserError: the package is not installed.
    """
    if name and importlib.util.find_spec(name) is None:
        raise UserError(
            f"The word vectors need the package {name}, which is not installed:"
            " pip install 'kerasgan[words]'"
        )


def load_word_vectors(
    vocabulary: Sequence[str], max_dim: int | None = None
) -> np.ndarray:
    """Loads pretrained vectors of words from the package `wordllama`.

    The vector of a word is the mean of those of its tokens, so that every word has one.
    Nothing is downloaded.

    Args:
        vocabulary: words, as returned by `get_vocabulary` of a vectorizer.
        max_dim: number of columns at most. The first columns are also usable alone:
            the vectors are Matryoshka representations (Kusupati et al. 2022,
            https://arxiv.org/abs/2205.13147).

    Returns:
        Vectors float32 `(len(vocabulary), d)`, where d is 256 or `max_dim`. Those of
        padding, of the unknown word and of the start token are zero.

    Raises:
        UserError: the package is not installed, or damaged.
    """
    check_word_vectors("wordllama")
    with _unconfigured_logging():
        import wordllama
    # As the cache, because the package looks for its tokenizer in another folder.
    folder = Path(wordllama.__file__).parent
    try:
        model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
    except FileNotFoundError as error:
        raise UserError(
            f"The package wordllama in {folder} is damaged: {error} Install it again:"
            " pip install --force-reinstall wordllama"
        ) from None
    vectors = model.embed(list(vocabulary))
    vectors[np.isin(vocabulary, NO_WORDS)] = 0
    return vectors[:, :max_dim]


@contextlib.contextmanager
def _unconfigured_logging():
    """Keeps an import from showing the messages of all packages on the terminal.

    `logging.basicConfig` does nothing if there is a handler.
    """
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    try:
        yield
    finally:
        logging.root.removeHandler(handler)


def initialize_embedding(layer: keras.layers.Embedding, vectors: np.ndarray) -> None:
    """Replaces the first columns of a built embedding by word vectors.

    They get a mean length of `RELATIVE_LENGTH` times that of random values, and are
    trained like these. Words whose vector is zero keep their random values.

    Args:
        layer: the embedding.
        vectors: floats `(layer.input_dim, d)`, where d is at most `layer.output_dim`.

    Raises:
        ValueError: the vectors have another shape, or are not finite.
    """
    vectors = np.asarray(vectors, "float32")
    num_words, max_dim = layer.input_dim, layer.output_dim
    shape = vectors.shape
    if len(shape) != 2 or shape[0] != num_words or not 1 <= shape[1] <= max_dim:
        raise ValueError(
            f"Word vectors must have the shape ({num_words}, d), a row for each token"
            f" id, where d is from 1 to {max_dim}. Received: shape {shape}"
        )
    if not np.isfinite(vectors).all():
        raise ValueError(
            "Word vectors must be finite. Received: NaN or infinity in the rows"
            f" {np.flatnonzero(~np.isfinite(vectors).all(axis=1))[:10].tolist()}"
        )
    lengths = np.linalg.norm(vectors, axis=1)
    has_vector = lengths > 0
    if has_vector.any():
        embeddings = np.array(layer.get_weights()[0])
        mean_length = RELATIVE_LENGTH * embeddings.std() * np.sqrt(shape[1])
        scale = mean_length / lengths[has_vector].mean()
        embeddings[has_vector, : shape[1]] = scale * vectors[has_vector]
        layer.set_weights([embeddings])
