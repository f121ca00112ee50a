"""The branch that reads: words to a vector."""

import keras

from kerasgan.layers.attention_pooling import AttentionPooling
from kerasgan.layers.weighted_embedding_sum import WeightedEmbeddingSum

KINDS = ("lstm-attention", "lstm", "words")


def build_text_branch(
    vocabulary_size, length, dim=128, kind="lstm-attention", name="text_branch"
):
    """Builds the text branch.

    `lstm-attention` is the papers': embedding, LSTM, attention over its outputs; `lstm`
    leaves the attention out and takes the last output.
    `words` sums weighted embeddings and does not hear the order of the words; it
    learns more per second of training.

    Args:
        vocabulary_size: number of token ids; 0 is padding.
        length: tokens a caption, or None for any number; captions are padded on the
            right.
        dim: size of the vector, and of the embedding and the LSTM.
        kind: `"lstm-attention"`, `"lstm"` or `"words"`.

    Returns:
        A `keras.Model`: token ids `(batch, length)` int32 to `(batch, dim)` floats.
    """
    token_ids = keras.Input((length,), dtype="int32", name="token_ids")
    if kind in ("lstm-attention", "lstm"):
        attends = kind == "lstm-attention"
        words = keras.layers.Embedding(vocabulary_size, dim, mask_zero=True)(token_ids)
        vector = keras.layers.LSTM(dim, return_sequences=attends, name="lstm")(words)
        if attends:
            vector = AttentionPooling(name="attention")(vector)
    elif kind == "words":
        vector = WeightedEmbeddingSum(vocabulary_size, 2 * dim, name="words")(token_ids)
        hidden = keras.layers.Dense(dim, activation="relu")(vector)
        vector = keras.layers.Dense(dim)(vector) + keras.layers.Dense(dim)(hidden)
    else:
        raise ValueError(f"kind must be one of {KINDS}. Received: kind={kind!r}")
    return keras.Model(token_ids, vector, name=name)
