"""The captions of the training images, which reranking compares candidates with."""

import functools
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
from scipy import sparse

from kerasgan.captioning.cider_reward import CiderReward
from kerasgan.captioning.reranking_features import DEFAULT_WEIGHTS, FEATURES
from kerasgan.captioning.token_tfidf import tfidf_vectors
from kerasgan.captioning.tokens import END
from kerasgan.errors import UserError
from kerasgan.files import load_arrays, open_partial

REMEDY = "Delete it and use --resume to repeat adversarial training and reranking."


@dataclass(frozen=True)
class CaptionStore:
    """The training images and their captions.

    Attributes:
        vectors: of the images by the dual encoder, `(n, d)`.
        token_ids: of their captions, int `(n, k, length)`, all zero where an image has
            fewer.
        idf: inverse document frequencies of words, `(vocabulary_size,)`.
        weights: of `FEATURES` in reranking, `(features,)`.
    """

    vectors: np.ndarray
    token_ids: np.ndarray
    idf: np.ndarray
    weights: np.ndarray = field(default_factory=DEFAULT_WEIGHTS.copy)

    @functools.cached_property
    def tfidf(self) -> sparse.csr_matrix:
        """The mean TF-IDF vector of each image's captions, `(n, vocabulary_size)`."""
        count, captions, length = self.token_ids.shape
        vectors = tfidf_vectors(self.token_ids.reshape(-1, length), self.idf)
        share = (self.token_ids[..., 0] != END).astype(float)
        share /= np.maximum(share.sum(axis=1, keepdims=True), 1)
        rows = np.repeat(np.arange(count), captions)
        columns = np.arange(count * captions)
        shape = (count, count * captions)
        return sparse.csr_matrix((share.ravel(), (rows, columns)), shape) @ vectors

    @functools.cached_property
    def cider_reward(self) -> CiderReward:
        """CIDEr-D with document frequencies of these captions."""
        return CiderReward(self.token_ids, len(self.idf))

    def save(self, path: Path) -> None:
        """Writes an `.npz` file, completely or not at all.

        Args:
            path: of the file.
        """
        arrays = {item.name: getattr(self, item.name) for item in fields(self)}
        with open_partial(path) as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> "CaptionStore":
        """Reads a file that `save` wrote.

        Args:
            path: of the file.

        Raises:
            UserError: the file is missing or damaged, or another version wrote it.
        """
        try:
            store = cls(**load_arrays(path))
            store._check()
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{path} is damaged, or another version wrote it: {error}. {REMEDY}"
            ) from error
        if len(store.weights) != len(FEATURES):
            raise UserError(
                f"{path} has {len(store.weights)} weights. Expected: {len(FEATURES)}."
                f" {REMEDY}"
            )
        return store

    def _check(self):
        """Raises a ValueError if the arrays do not fit together."""
        shapes = [getattr(self, item.name).shape for item in fields(self)]
        if [len(shape) for shape in shapes] != [2, 3, 1, 1]:
            raise ValueError(f"arrays of the shapes {shapes}")
        ids, count = self.token_ids, len(self.vectors)
        if len(ids) != count or ids.dtype.kind not in "iu" or not ids.size:
            raise ValueError(f"token ids {ids.shape} {ids.dtype} of {count} vectors")
        if ids.min() < 0 or ids.max() >= len(self.idf):
            raise ValueError("token ids outside of the vocabulary")
        for array in (self.vectors, self.idf, self.weights):
            if array.dtype not in ("f4", "f8") or not np.isfinite(array).all():
                raise ValueError("values that are not finite")
