"""Captions that no captioner generated: baselines that a captioner has to beat."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer


class CaptionBaselines:
    """Takes captions from the training images.

    Args:
        captions: for each of n training images a list of its captions, at least one.
        vectors: unit vectors of the same images, float `(n, d)`.
        vectorizer: the result of `fit_tfidf`.
    """

    def __init__(
        self,
        captions: Sequence[Sequence[str]],
        vectors: np.ndarray,
        vectorizer: TfidfVectorizer,
    ):
        self.captions, self.vectors = captions, vectors
        all_captions = [text for group in captions for text in group]
        self.tfidf = vectorizer.transform(all_captions)
        self.all_captions = np.array(all_captions, dtype=object)
        ends = np.cumsum([len(group) for group in captions])
        self.caption_rows = np.split(np.arange(len(all_captions)), ends[:-1])

    def frequent(self, count: int) -> list[str]:
        """Returns the most frequent training caption for every image.

        Args:
            count: number of images.

        Returns:
            `count` equal captions.
        """
        return [Counter(self.all_captions).most_common(1)[0][0]] * count

    def random(self, count: int, seed: int = 0) -> list[str]:
        """Draws training captions at random.

        Args:
            count: number of images.
            seed: seed of the draws.

        Returns:
            `count` captions, drawn with replacement.
        """
        return list(np.random.default_rng(seed).choice(self.all_captions, count))

    def nearest(self, vectors: np.ndarray) -> list[str]:
        """Returns the first caption of the training image nearest to each image.

        Args:
            vectors: unit vectors of m images, float `(m, d)`.

        Returns:
            m captions.
        """
        return [self.captions[row][0] for row in (vectors @ self.vectors.T).argmax(1)]

    def consensus(self, vectors: np.ndarray, num_neighbors: int) -> list[str]:
        """Returns the consensus caption of the nearest training images.

        Of all captions of the neighbors, it is the one whose TF-IDF similarity to the
        others is highest on average (Devlin et al. 2015,
        https://arxiv.org/abs/1505.04467).

        Args:
            vectors: unit vectors of m images, float `(m, d)`.
            num_neighbors: number of nearest training images.

        Returns:
            m captions.
        """
        captions = []
        for cosines in vectors @ self.vectors.T:
            neighbors = np.argsort(-cosines, kind="stable")[:num_neighbors]
            rows = np.concatenate([self.caption_rows[row] for row in neighbors])
            tfidf = self.tfidf[rows]
            captions.append(self.all_captions[rows[(tfidf @ tfidf.sum(0).T).argmax()]])
        return captions
