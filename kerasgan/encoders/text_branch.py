"""The text branch: token ids to a vector."""

import keras

from kerasgan.encoders.precision import recurrent_precision
from kerasgan.layers.attention_pooling import AttentionPooling
from kerasgan.layers.weighted_embedding_sum import WeightedEmbeddingSum

KINDS = ("lstm-attention", "lstm", "words")


def build_text_branch(
    vocabulary_size: int,
    length: int | None,
    dim: int = 128,
    kind: str = "lstm-attention",
    name: str = "text_branch",
) -> keras.Model:
    """Builds the text branch.

    `lstm-attention` is the papers' branch: embedding, LSTM, and attention over its
    outputs. `lstm` takes the last output instead. `words` sums weighted embeddings and
    ignores the order of words; it learns more per second of training.

    Args:
        vocabulary_size: number of token ids; 0 is padding.
        length: tokens a caption, or None for any number; captions are padded on the
            right.
        dim: size of the vector, and of the embedding and the LSTM.
        kind: `"lstm-attention"`, `"lstm"` or `"words"`.
        name: of the model.

    Returns:
        A `keras.Model`: token ids int32 `(n, length)` to floats `(n, dim)`.

    Raises:
        ValueError: an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}. Received: kind={kind!r}")
    token_ids = keras.Input((length,), dtype="int32", name="token_ids")
    if kind == "words":
        vector = WeightedEmbeddingSum(vocabulary_size, 2 * dim, name="words")(token_ids)
        hidden = keras.layers.Dense(dim, activation="relu")(vector)
        vector = keras.layers.Dense(dim)(vector) + keras.layers.Dense(dim)(hidden)
    else:
        has_attention = kind == "lstm-attention"
        words = keras.layers.Embedding(vocabulary_size, dim, mask_zero=True)(token_ids)
        lstm = keras.layers.LSTM(
            dim,
            return_sequences=has_attention,
            name="lstm",
            dtype=recurrent_precision(),
        )
        vector = lstm(words)
        if has_attention:
            vector = AttentionPooling(name="attention")(vector)
    return keras.Model(token_ids, vector, name=name)
