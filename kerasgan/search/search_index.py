"""Searches an index."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasgan.errors import UserError
from kerasgan.evaluation.caption_words import normalize_caption
from kerasgan.search.checksums import check_files
from kerasgan.search.index_files import (
    MANIFEST,
    PARTIAL,
    IndexData,
    damaged,
    file_state,
    is_index,
    load_array,
    read_manifest,
)
from kerasgan.search.nearest import best_positions, nearest_rows
from kerasgan.search.text_embedding import TextEmbedding
from kerasgan.search.word_index import WordModel, word_scores

if TYPE_CHECKING:
    from kerasgan.captioning.pipeline import CaptioningPipeline

MAX_NAMED_WORDS = 10  # in a message


class SearchIndex:
    """An index that `kerasgan index` built, mapped into memory.

    Args:
        path: the directory of the index.
        load: loads the models of its run. It is only called by queries that need
            TensorFlow, for a text branch other than `words`.

    Attributes:
        manifest: see `kerasgan.search.index_files`.
        data: the images.
        rotation: of the vectors, float32 `(d, d)`; see `nearest`.

    Raises:
        UserError: there is no index, it is half-written, damaged, or of another
            version.
    """

    def __init__(
        self, path: Path, load: Callable[[], "CaptioningPipeline"] | None = None
    ):
        self.path, self.load_pipeline = path, load
        if not is_index(path):
            raise UserError(f"There is no index at {path}: no {MANIFEST} in it.")
        manifest = read_manifest(path)
        if manifest is None or not manifest["data"]:
            raise UserError(
                f"{path} is half-written: kerasgan index was interrupted. Continue with"
                f" kerasgan index RUN --out {path}"
            )
        self.manifest: dict[str, Any] = manifest
        check_files(path / "model")
        self.data = self._open_data()
        self.words = WordModel.load(path / "model")
        self.rotation = load_array(path / "model" / "rotation.npy", 2)
        self._check()
        self._text: TextEmbedding | None = None

    def _check(self):
        """Raises a UserError if the models do not fit to the data."""
        dim, data = self.manifest["dim"], self.data
        if self.rotation.shape != (dim, dim):
            raise damaged(self.path / "model" / "rotation.npy", self.rotation.shape)
        widths = data.leading.shape[1], data.trailing.shape[1]
        if sum(widths) != dim:
            raise damaged(data.path, f"vectors of {widths} dimensions instead of {dim}")
        if len(data.words[0]) != len(self.words.columns) + 1:
            raise damaged(data.path / "words-columns.npy", "it is of other words")

    def _open_data(self):
        try:
            return IndexData.open(self.path / self.manifest["data"])
        except UserError:
            manifest = read_manifest(self.path)
            if manifest == self.manifest:
                raise
        # An update replaced the data in this moment.
        self.manifest = manifest
        return IndexData.open(self.path / manifest["data"])

    @property
    def is_being_updated(self) -> bool:
        """Whether an update was interrupted, or is running."""
        return (self.path / PARTIAL).is_dir()

    def check_query(self, text: str) -> list[str]:
        """Returns the words of a query that the run does not know.

        Args:
            text: the query.

        Raises:
            UserError: the query has no word, or only unknown ones.
        """
        words = normalize_caption(text).split()
        if not words:
            raise UserError("The query has no words.")
        words = list(dict.fromkeys(words))
        unknown = [word for word in words if word not in self.words.columns]
        if unknown == words:
            raise UserError(
                "Nothing can be found: the training captions of the run have none of"
                f" the words {', '.join(unknown[:MAX_NAMED_WORDS])}."
            )
        return unknown

    def embed(self, text: str) -> np.ndarray:
        """Computes the rotated vector of a text, float32 `(d,)`.

        Args:
            text: any text.
        """
        if self.manifest["needs_tensorflow"]:
            return self.load_pipeline().embed_captions([text])[0] @ self.rotation
        if self._text is None:
            length = self.manifest["caption_length"]
            self._text = TextEmbedding.load(self.path / "model", length)
            if len(self._text.embed("")) != len(self.rotation):
                raise damaged(self.path / "model", "vectors of other dimensions")
        return self._text.embed(text) @ self.rotation

    def rank(
        self, text: str, by: str | None = None, count: int = 10
    ) -> tuple[np.ndarray, np.ndarray]:
        """Finds the images that suit a text best.

        Args:
            text: the query.
            by: `"words"`, the cosine of TF-IDF of the query and the generated captions;
                `"embedding"`, the cosine of vectors less the hubness of the image;
                `"blend"`, their weighted mean; None for the ranking that was best on
                the validation images.
            count: how many images are returned at most.

        Returns:
            Row numbers, the best first, and their scores. With `"words"`, captions
            without a word of the query are left out.

        Raises:
            UserError: the query has no known word.
        """
        self.check_query(text)
        by = by or self.manifest["ranking"]["default"]
        share = {"words": 1.0, "embedding": 0.0}.get(by)
        share = np.float32(
            self.manifest["ranking"]["weight"] if share is None else share
        )
        scores = np.zeros(len(self.data), np.float32)
        if share > 0:
            query = self.words.transform(text)
            scores = share * word_scores(self.data.words, query, len(self.data))
        if share == 1:
            rows = best_positions(scores, count)
            rows = rows[scores[rows] > 0]
            return rows, scores[rows]
        scores -= (1 - share) * self.data.hubness
        return nearest_rows(self.data, (1 - share) * self.embed(text), scores, count)

    def rank_alike(
        self, vector: np.ndarray, count: int = 10
    ) -> tuple[np.ndarray, np.ndarray]:
        """Finds the images that are most similar to an image.

        Args:
            vector: the rotated vector of the image.
            count: how many images are returned at most.

        Returns:
            Row numbers, the best first, and the cosines.
        """
        bias = np.zeros(len(self.data), np.float32)
        return nearest_rows(self.data, vector, bias, count)

    def find_file(self, path: Path) -> int | None:
        """Returns the row of an image with the same content as a file, or None.

        Args:
            path: of the file.

        Raises:
            UserError: the file cannot be read.
        """
        try:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UserError(f"Cannot read {path}: {error.strerror}") from error
        position = self.data.lines.find(f'"sha256": "{digest}"'.encode())
        if position < 0:
            return None
        return int(np.searchsorted(self.data.offsets, position, side="right")) - 1

    def results(
        self, rows: Iterable[int], scores: Iterable[float]
    ) -> list[dict[str, Any]]:
        """Describes images that were found.

        Args:
            rows: row numbers.
            scores: their scores.

        Returns:
            Dicts with `rank`, `score`, `image` (the path), `caption`, and `state` if
            the file is `changed` or `deleted`.
        """
        found = []
        pairs = zip(self.data.records(rows), scores, strict=True)
        for rank, (record, score) in enumerate(pairs, start=1):
            result = {"rank": rank, "score": round(float(score), 4)}
            result |= {"image": record["image"], "caption": record["caption"]}
            state = file_state(record)
            found.append(result | ({} if state == "unchanged" else {"state": state}))
        return found
