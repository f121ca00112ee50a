"""The text branch: token ids to a vector."""

import keras
import numpy as np

from kerasgan.encoders.precision import recurrent_precision
from kerasgan.encoders.word_vectors import initialize_embedding
from kerasgan.layers.attention_pooling import AttentionPooling
from kerasgan.layers.weighted_embedding_sum import WeightedEmbeddingSum

KINDS = ("lstm-attention", "lstm", "words")


def embedding_dim(kind: str, dim: int) -> int:
    """Returns the size of the embedding in a text branch; see `build_text_branch`."""
    return 2 * dim if kind == "words" else dim


def build_text_branch(
    vocabulary_size: int,
    length: int | None,
    dim: int = 128,
    kind: str = "lstm-attention",
    name: str = "text_branch",
    word_vectors: np.ndarray | None = None,
) -> keras.Model:
    """Builds the text branch.

    `lstm-attention` is the papers' branch: embedding, LSTM, and attention over its
    outputs. `lstm` takes the last output instead. `words` sums weighted embeddings and
    ignores the order of words; it learns more per second of training.

    Args:
        vocabulary_size: number of token ids; 0 is padding.
        length: tokens a caption, or None for any number; captions are padded on the
            right.
        dim: size of the vector, of the LSTM, and of the embedding, which is twice as
            large for `words`.
        kind: `"lstm-attention"`, `"lstm"` or `"words"`.
        name: of the model.
        word_vectors: pretrained vectors, floats `(vocabulary_size, d)`, such as the
            result of `load_word_vectors`; d is at most the size of the embedding. They
            are the initial values of its first d columns, three times as long as random
            ones in the mean, and are trained like these. A row of zeros is a word
            without a vector.

    Returns:
        A `keras.Model`: token ids int32 `(n, length)` to floats `(n, dim)`.

    Raises:
        ValueError: an unknown kind, or vectors of another shape or that are not finite.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}. Received: kind={kind!r}")
    token_ids = keras.Input((length,), dtype="int32", name="token_ids")
    size = embedding_dim(kind, dim)
    if kind == "words":
        words = WeightedEmbeddingSum(vocabulary_size, size, name="words")
        vector, embedding = words(token_ids), words.embedding
        hidden = keras.layers.Dense(dim, activation="relu")(vector)
        vector = keras.layers.Dense(dim)(vector) + keras.layers.Dense(dim)(hidden)
    else:
        has_attention = kind == "lstm-attention"
        embedding = keras.layers.Embedding(vocabulary_size, size, mask_zero=True)
        lstm = keras.layers.LSTM(
            dim,
            return_sequences=has_attention,
            name="lstm",
            dtype=recurrent_precision(),
        )
        vector = lstm(embedding(token_ids))
        if has_attention:
            vector = AttentionPooling(name="attention")(vector)
    if word_vectors is not None:
        initialize_embedding(embedding, word_vectors)
    return keras.Model(token_ids, vector, name=name)
