"""Reranking by the likelihoods of a captioner, which are given."""

import numpy as np
import pytest

from kerasgan.captioning.likelihood_reranking import (
    PRIOR_IMAGES,
    WEIGHT,
    LikelihoodReranker,
    prior_rows,
)
from kerasgan.captioning.tokens import END

IMAGES, CAPTIONS, COUNT = 7, 9, 3
RANDOM = np.random.default_rng(0)
RELEVANCE = RANDOM.normal(0, 0.1, (IMAGES, CAPTIONS))
# The last two rows are those of training images.
LIKELIHOODS = RANDOM.normal(-20, 9, (IMAGES + 2, CAPTIONS))
FEATURES = np.arange(IMAGES + 2.0).reshape(-1, 1, 1, 1)
# The first token is the caption's number in `LIKELIHOODS`.
TOKEN_IDS = np.full((CAPTIONS, 6), END)
TOKEN_IDS[:, 0] = np.arange(CAPTIONS) + 1
TOKEN_IDS[4:, 1:4] = 5


class Captioner:
    """Looks its likelihoods up, and counts the pairs."""

    def __init__(self):
        self.pairs = []

    def log_likelihoods(self, features, token_ids):
        images = features[:, 0, 0, 0].astype(int)
        rows, columns = np.broadcast_arrays(images[:, None], token_ids[..., 0] - 1)
        self.pairs += zip(rows.ravel(), columns.ravel(), strict=True)
        return LIKELIHOODS[rows, columns]


def fused(image, caption):
    prior = LIKELIHOODS[IMAGES:, caption].mean()
    gain = LIKELIHOODS[image, caption] - prior
    num_tokens = 1 if caption < 4 else 4
    return RELEVANCE[image, caption] + WEIGHT * gain / num_tokens**0.5


def expected_ranking(relevance, fused_scores):
    """The first ones by fused score, and the others as they were."""
    before = sorted(range(len(relevance)), key=lambda n: -relevance[n])
    first = sorted(before[:COUNT], key=lambda n: -fused_scores[n])
    return first + before[COUNT:]


def test_the_first_matches_of_both_directions_are_ranked_by_both_models():
    captioner = Captioner()
    reranker = LikelihoodReranker(captioner, FEATURES[IMAGES:], COUNT)
    scores = reranker.rerank(RELEVANCE, FEATURES[:IMAGES], TOKEN_IDS)
    changed = 0
    for image, ranked in enumerate(np.argsort(-scores[0], axis=1)):
        new = [fused(image, caption) for caption in range(CAPTIONS)]
        assert list(ranked) == expected_ranking(RELEVANCE[image], new)
        changed += list(ranked) != list(np.argsort(-RELEVANCE[image]))
    for caption, ranked in enumerate(np.argsort(-scores[1].T, axis=1)):
        new = [fused(image, caption) for image in range(IMAGES)]
        assert list(ranked) == expected_ranking(RELEVANCE[:, caption], new)
        changed += list(ranked) != list(np.argsort(-RELEVANCE[:, caption]))
    assert changed > 8
    of_images = [pair for pair in captioner.pairs if pair[0] < IMAGES]
    assert len(set(of_images)) == len(of_images) < IMAGES * CAPTIONS


def test_more_matches_than_there_are_rank_all():
    reranker = LikelihoodReranker(Captioner(), FEATURES[IMAGES:], 99)
    by_image, by_caption = reranker.rerank(RELEVANCE, FEATURES[:IMAGES], TOKEN_IDS)
    np.testing.assert_array_equal(by_image, by_caption)
    assert by_image[2, 3] == pytest.approx(fused(2, 3), abs=1e-5)


def test_the_images_of_the_prior_are_always_the_same():
    train_rows = np.arange(100, 400, 3)
    rows = prior_rows(train_rows)
    assert len(set(rows)) == PRIOR_IMAGES and set(rows) <= set(train_rows)
    assert list(rows) == sorted(prior_rows(train_rows))
    assert list(prior_rows([5, 9])) == [5, 9]
