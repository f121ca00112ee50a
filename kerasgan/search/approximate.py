"""Approximate search by usearch, for more vectors than a full product can compare."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from kerasgan.errors import UserError
from kerasgan.search.nearest import nearest_rows

if TYPE_CHECKING:
    from kerasgan.search.search_index import SearchIndex

FILE = "usearch.index"
BLOCK_SIZE = 8192  # vectors that are added at once
NUM_PROBES = 100  # captions of the index that measure the recall
DEPTH = 10  # of the recall


class ApproximateIndex:
    """Ranks images by vectors with usearch (HNSW), which is built once for the data.

    The hubness of an image is one more dimension of its vector, so that the engine
    ranks as `SearchIndex.rank` does by `"embedding"`.

    Args:
        index: an index.
        message: called with what takes long, and with the recall against exact search.

    Raises:
        UserError: usearch is not installed, or its file is damaged.
    """

    def __init__(self, index: "SearchIndex", message: Callable[[str], None]):
        try:
            from usearch.index import Index
        except ImportError:
            raise UserError(
                "usearch is not installed: pip install 'kerasgan[ann]'"
            ) from None
        self.index, data = index, index.data
        path = data.path / FILE
        self.engine = Index(ndim=len(index.rotation) + 1, metric="ip", dtype="f16")
        if path.is_file():
            try:
                self.engine.view(str(path))
            except Exception as error:  # the engine has exceptions of its own
                raise UserError(f"{path} is damaged: {error}. Remove it.") from error
            return
        message(f"Building {path} for {len(data):,} images.")
        for start in range(0, len(data), BLOCK_SIZE):
            rows = np.arange(start, min(start + BLOCK_SIZE, len(data)))
            hubness = data.hubness[rows, None]
            vectors = np.concatenate([data.vectors(rows), hubness], axis=1)
            self.engine.add(rows.astype(np.uint64), vectors)
        try:
            _save(self.engine, path)
        except Exception as error:
            message(f"Cannot keep {path}: {error}")
        message(f"Recall at {DEPTH} against exact search: {self.recall():.3f}")

    def rank(self, text: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Finds the images that suit a text best.

        Args:
            text: the query.
            count: how many images are returned at most.

        Returns:
            Row numbers, the best first, and their scores.
        """
        return self._nearest(self.index.embed(text), count)

    def rank_alike(
        self, vector: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Finds the images that are most similar to an image.

        Args:
            vector: the rotated vector of the image.
            count: how many images are returned at most.

        Returns:
            Row numbers, the best first, and the cosines.
        """
        return self._nearest(vector, count, hubness_weight=0)

    def recall(self) -> float:
        """Returns the share of the images of exact search that the engine finds.

        The queries are captions of the index, at even distances.
        """
        data, bias = self.index.data, -np.asarray(self.index.data.hubness)
        step = -(-len(data) // NUM_PROBES)
        shares = []
        for record in data.records(range(0, len(data), step)):
            query = self.index.embed(record["caption"])
            exact, _ = nearest_rows(data, query, bias, DEPTH)
            found, _ = self._nearest(query, DEPTH)
            shares.append(np.isin(exact, found).mean())
        return float(np.mean(shares))

    def _nearest(self, query, count, hubness_weight=-1):
        query = np.append(query, np.float32(hubness_weight))
        matches = self.engine.search(query, min(count, len(self.index.data)))
        # Inner products are distances of 1 less the product.
        return matches.keys.astype(np.int64), 1 - matches.distances


def _save(engine, path):
    """Writes the graph, completely or not at all: a search may be killed meanwhile."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        engine.save(str(partial))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
