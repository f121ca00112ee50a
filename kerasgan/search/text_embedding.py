"""The text branch of a dual encoder without TensorFlow, for the branch `words`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasgan.evaluation.caption_words import normalize_caption
from kerasgan.files import write_text
from kerasgan.search.index_files import damaged, load_array, save_array
from kerasgan.search.word_index import read_words

if TYPE_CHECKING:
    from kerasgan.captioning.pipeline import CaptioningPipeline

TOKENS = "tokens.txt"  # the words of the token ids from `FIRST_WORD` on
UNKNOWN, FIRST_WORD = 1, 2  # token ids
ARRAYS = {  # number of dimensions; the first one is the members
    "embedding": 3,
    "weight": 2,
    "hidden-kernel": 3,
    "hidden-bias": 2,
    "linear-kernel": 3,
    "linear-bias": 2,
    "output-kernel": 3,
    "output-bias": 2,
}
PROBES = ("", "a dog", "two people on a beach", "a man in a red shirt " * 5)
TOLERANCE = 1e-4  # of cosines


@dataclass(frozen=True)
class TextEmbedding:
    """Embeds captions as `DualEncoder.embed_captions` does.

    Attributes:
        token_ids: of the known words.
        length: tokens of a caption, the start token included.
        arrays: the weights, see `ARRAYS`.
    """

    token_ids: dict[str, int]
    length: int
    arrays: dict[str, np.ndarray]

    @classmethod
    def load(cls, path: Path, length: int) -> "TextEmbedding":
        """Reads the files that `save_text_embedding` wrote.

        Args:
            path: the directory of the files.
            length: tokens of a caption.

        Raises:
            UserError: they are damaged.
        """
        arrays = {n: load_array(path / f"text-{n}.npy", d) for n, d in ARRAYS.items()}
        token_ids = number_words(read_words(path / TOKENS))
        if arrays["embedding"].shape[1] < len(token_ids) + FIRST_WORD:
            raise damaged(path / TOKENS, "it has more words than the text branch")
        embedding = cls(token_ids, length, arrays)
        try:
            embedding.embed("")
        except (ValueError, IndexError) as error:
            raise damaged(path, f"arrays that do not fit together: {error}") from error
        return embedding

    def embed(self, caption: str) -> np.ndarray:
        """Computes the vector of a caption.

        Args:
            caption: any text.

        Returns:
            A unit vector float32 `(d,)`.
        """
        words = ["[START]", *normalize_caption(caption).split()][: self.length]
        ids = [self.token_ids.get(word, UNKNOWN) for word in words]
        arrays, members = self.arrays, []
        for member in range(len(arrays["embedding"])):
            weights = arrays["weight"][member, ids]
            total = weights @ arrays["embedding"][member, ids] / len(ids) ** 0.5

            def dense(name, x, member=member):
                kernel = arrays[f"{name}-kernel"][member]
                return x @ kernel + arrays[f"{name}-bias"][member]

            hidden = np.maximum(dense("hidden", total), 0)
            vector = dense("linear", total) + dense("output", hidden)
            members.append(vector / max(float(np.linalg.norm(vector)), 1e-12))
        return np.concatenate(members) / np.float32(len(members) ** 0.5)


def number_words(words: list[str]) -> dict[str, int]:
    """Returns the token id of each word.

    Args:
        words: the result of `get_vocabulary`.
    """
    return {word: number for number, word in enumerate(words, start=FIRST_WORD)}


def save_text_embedding(path: Path, pipeline: "CaptioningPipeline") -> bool:
    """Writes the text branch and its vocabulary.

    Args:
        path: a directory.
        pipeline: whose dual encoder is saved.

    Returns:
        Whether the branch was written, and embeds as TensorFlow does. Otherwise, such
        as for the branch `lstm-attention`, there is only the vocabulary, and queries
        need TensorFlow.
    """
    from kerasgan.layers.text_vectorization import get_vocabulary

    words = get_vocabulary(pipeline.vectorizer)
    write_text(path / TOKENS, "".join(f"{word}\n" for word in words))
    encoder = pipeline.dual_encoder.text_encoder
    members = [
        _branch_weights(encoder.get_layer(f"text_branch_{member}"))
        for member in range(encoder.output_shape[1])
    ]
    if None in members:
        return False
    arrays = {n: np.stack([member[n] for member in members]) for n in ARRAYS}
    embedding = TextEmbedding(number_words(words), encoder.input_shape[1], arrays)
    vectors = np.stack([embedding.embed(text) for text in PROBES])
    if not np.allclose(vectors, pipeline.embed_captions(PROBES), atol=TOLERANCE):
        return False
    for name, array in arrays.items():
        save_array(path / f"text-{name}.npy", array)
    return True


def _branch_weights(branch):
    """Returns the weights of a text branch `words`, or None."""
    import keras

    from kerasgan.layers.weighted_embedding_sum import WeightedEmbeddingSum

    sums = [layer for layer in branch.layers if isinstance(layer, WeightedEmbeddingSum)]
    dense = [layer for layer in branch.layers if isinstance(layer, keras.layers.Dense)]
    if len(sums) != 1 or len(dense) != 3:
        return None
    embedding, weight = (np.asarray(array) for array in sums[0].get_weights())
    named = {"embedding": embedding, "weight": weight[:, 0]}
    for layer in dense:
        if layer.activation is keras.activations.relu:
            name = "hidden"
        else:  # the embeddings are twice as long as the hidden vector
            is_linear = layer.kernel.shape[0] == embedding.shape[1]
            name = "linear" if is_linear else "output"
        kernel, bias = layer.get_weights()
        named |= {f"{name}-kernel": kernel, f"{name}-bias": bias}
    return {name: array.astype(np.float32) for name, array in named.items()}
