"""Ranks the best images of a query again, by how likely the captioner finds it."""

import numpy as np

from kerasgan.captioning.likelihood_reranking import fuse_scores
from kerasgan.captioning.pipeline import (
    LIKELIHOOD_CAPTIONER,
    CaptioningPipeline,
    load_captioner,
)
from kerasgan.captioning.tokens import END
from kerasgan.data.images import (
    BadImage,
    read_image_file,
    read_square_image,
    strict_pillow,
)
from kerasgan.layers.text_vectorization import tokenize
from kerasgan.search.index_files import file_state
from kerasgan.search.models import open_index_run
from kerasgan.search.search_index import SearchIndex


class SearchReranker:
    """Reads the best images of a query from their files, for the captioner to score.

    Args:
        index: the index.
        pipeline: the models of its run, with the captioner before adversarial training.
        fit: how an image becomes square, `data.fit` of the run.
    """

    def __init__(self, index: SearchIndex, pipeline: CaptioningPipeline, fit: str):
        self.index, self.pipeline, self.fit = index, pipeline, fit

    def rerank(
        self, text: str, rows: np.ndarray, scores: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Ranks the first images again.

        An image whose likelihood is the mean of these keeps its score. Images whose
        files are changed, deleted or unreadable follow those that are ranked again,
        and so do the images after the first `count`. They keep their order, and their
        scores are lowered by a constant where they would be higher.

        Args:
            text: the query.
            rows: row numbers in the index, the best first, int `(k,)`.
            scores: their scores by `"embedding"` or `"blend"`, `(k,)`.
            count: how many of the rows are ranked again.

        Returns:
            The same row numbers in their new order, their new scores, and the number of
            images that were ranked again.
        """
        token_ids = tokenize(self.pipeline.vectorizer, [text])
        images = self._read_images(rows[:count])
        is_read = np.isin(np.arange(len(rows)), list(images))
        if not images:
            return rows, scores, 0
        gains = self._log_likelihoods(np.stack(list(images.values())), token_ids)
        num_tokens = int((token_ids != END).sum())
        fused = fuse_scores(scores[is_read], gains - gains.mean(), num_tokens)
        order = np.argsort(-fused, kind="stable")
        others = scores[~is_read]
        others = others - max(0, others.max(initial=-np.inf) - fused.min())
        return (
            np.concatenate([rows[is_read][order], rows[~is_read]]),
            np.concatenate([fused[order], others]),
            len(images),
        )

    def _read_images(self, rows):
        """The images that are still what was indexed, by their position in `rows`."""
        images = {}
        with strict_pillow():
            for position, record in enumerate(self.index.data.records(rows)):
                if file_state(record) != "unchanged":
                    continue
                try:
                    data = read_image_file(record["image"])
                    size = self.pipeline.image_size
                    images[position] = read_square_image(data, size, self.fit)
                except BadImage:  # such as one that was deleted just now
                    continue
        return images

    def _log_likelihoods(self, images, token_ids):
        """Of one caption, `(1, length)`, for each image, `(n,)`."""
        features = self.pipeline.encode_images(images)
        repeated = np.broadcast_to(token_ids, (len(images), *token_ids.shape))
        return self.pipeline.captioner.log_likelihoods(features, repeated)[:, 0]


def load_reranker(index: SearchIndex) -> SearchReranker:
    """Loads the models that an index was built with, from its run.

    Args:
        index: an index.

    Raises:
        UserError: see `open_index_run`.
    """
    run = open_index_run(index)
    pipeline = load_captioner(run, LIKELIHOOD_CAPTIONER)
    return SearchReranker(index, pipeline, run.settings.data.fit)
