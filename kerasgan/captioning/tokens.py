"""The token ids with a special meaning, and token ids to words."""

import numpy as np

END = 0  # padding, which follows the last word
UNKNOWN = 1  # a word that is not in the vocabulary
MASKED_LOGIT = -1e9  # of a token that cannot be chosen


def caption_lengths(token_ids: np.ndarray) -> np.ndarray:
    """Counts the words of captions, the end token included.

    Args:
        token_ids: int `(..., length)`, without the start token.

    Returns:
        int `(...)`, at least 1.
    """
    return 1 + (token_ids != END).sum(axis=-1)


def detokenize(token_ids: np.ndarray, words: np.ndarray) -> str:
    """Converts the token ids of a caption to text.

    Args:
        token_ids: int `(length,)`, without the start token.
        words: the word of each token id, str `(vocabulary_size,)`.

    Returns:
        Words separated by spaces.
    """
    return " ".join(words[token_ids[token_ids != END]])
