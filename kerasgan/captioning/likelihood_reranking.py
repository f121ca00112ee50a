"""Reranks matches of images and captions by the captioner's likelihood.

The dual encoder compares two vectors, and so finds the matches among millions. The
captioner looks at the cells of the image for each word, and so tells the best of them
apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerasgan.captioning.captioner import Captioner
from kerasgan.captioning.tokens import END

# Chosen on validation images of Flickr30k (docs/measured.md). Smaller weights are
# better from image to caption, larger ones from caption to image.
WEIGHT = 0.03
PRIOR_IMAGES = 24


def fuse_scores(
    scores: np.ndarray, log_likelihoods: np.ndarray, num_tokens: np.ndarray | int
) -> np.ndarray:
    """Adds log-likelihoods of the captioner to scores of the dual encoder.

    score + w · log-likelihood / √tokens. The root is between the sum, which long
    captions dominate, and the mean, which hides how much they say.

    Args:
        scores: of pairs, of any shape.
        log_likelihoods: see `Captioner.log_likelihoods`; less those of other images
            where different captions are compared.
        num_tokens: of the captions, the start token included, at least 1.

    Returns:
        float, of the shape of the scores.
    """
    # float32 keeps the memory of a large test split.
    return scores + WEIGHT * log_likelihoods / np.sqrt(num_tokens, dtype=np.float32)


def prior_rows(train_rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Draws the training images of `LikelihoodReranker`, always the same ones.

    Args:
        train_rows: rows of the training split, int `(n,)`.

    Returns:
        int `(min(n, PRIOR_IMAGES),)`, ascending.
    """
    count = min(PRIOR_IMAGES, len(train_rows))
    random = np.random.default_rng(0)
    return np.sort(random.choice(train_rows, count, replace=False))


@dataclass(frozen=True)
class LikelihoodReranker:
    """Ranks the best matches of the dual encoder anew.

    Some captions are likely for every image, such as "a man". What counts is how much
    more likely an image makes them than other images do: log p(c | I) less its mean
    over training images. No other test image is used.

    Attributes:
        captioner: the captioner before adversarial training, which no longer maximizes
            the likelihood.
        prior_features: of training images, `(p, height, width, channels)`; see
            `prior_rows`.
        count: captions of an image, and images of a caption, that are ranked anew.
    """

    captioner: Captioner
    prior_features: np.ndarray
    count: int

    def rerank(
        self, relevance: np.ndarray, features: np.ndarray, token_ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores pairs of images and captions.

        Args:
            relevance: of the dual encoder, `(n, m)`; see `CaptioningPipeline`.
            features: of the images, `(n, height, width, channels)`.
            token_ids: of the captions, int `(m, length)`.

        Returns:
            Scores by which the captions of each image are ranked, and scores by which
            the images of each caption are, both `(n, m)`. Pairs that are not ranked
            anew follow the others in their old order.
        """
        near_image = _is_near(relevance, self.count)
        near_caption = _is_near(relevance.T, self.count).T
        gains = np.zeros(relevance.shape, np.float32)
        priors = self._priors(token_ids)
        for image, is_near in enumerate(near_image | near_caption):
            rows = np.flatnonzero(is_near)
            gains[image, rows] = self._score(features[image], token_ids[rows])
            gains[image, rows] -= priors[rows]
        num_tokens = np.maximum((token_ids != END).sum(axis=-1), 1)
        scores = fuse_scores(relevance, gains, num_tokens)
        others = relevance - np.float32(relevance.max() - scores.min() + 1)
        by_image = np.where(near_image, scores, others)
        return by_image, np.where(near_caption, scores, others)

    def _priors(self, token_ids):
        """The mean log-likelihood of each caption over the training images, `(m,)`."""
        scores = [self._score(features, token_ids) for features in self.prior_features]
        return np.mean(scores, axis=0)

    def _score(self, features, token_ids):
        return self.captioner.log_likelihoods(features[None], token_ids[None])[0]


def _is_near(relevance, count):
    """Which values are among the `count` largest of their row."""
    positions = np.argsort(-relevance, axis=1, kind="stable")[:, :count]
    is_near = np.zeros(relevance.shape, bool)
    np.put_along_axis(is_near, positions, True, axis=1)
    return is_near
