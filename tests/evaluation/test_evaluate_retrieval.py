"""Retrieval of a run, by models that are given."""

from types import SimpleNamespace

import numpy as np
import pytest

from kerasgan.evaluation.evaluate_retrieval import evaluate_retrieval
from kerasgan.layers.text_vectorization import build_vectorizer

COUNT = 12
TEXTS = [[f"word{n}"] for n in range(COUNT)]
MATCHED = np.eye(COUNT)


class Images(list):
    """Their captions are one word each, which is the number of the image."""

    captions, features, vectors = TEXTS, np.arange(COUNT), MATCHED


@pytest.fixture(scope="module")
def pipeline():
    words = ["[START]", *(text for texts in TEXTS for text in texts)]
    return SimpleNamespace(
        vectorizer=build_vectorizer(None, words, len(words) + 2, 3),
        dual_encoder=SimpleNamespace(
            embed_token_ids=lambda token_ids: MATCHED[token_ids[:, 1] - 3]
        ),
        relevance=lambda images, captions: np.roll(MATCHED, 1, axis=0),
    )


def test_rankings_beside_each_other(pipeline):
    results = evaluate_retrieval(Images(TEXTS), pipeline)
    for direction in ("image_to_text", "text_to_image"):
        assert results["by_cosine"][direction]["r1"] == 100
        assert results[direction]["r1"] == 0  # the relevance is that of other images
    assert "reranked" not in results and results["images"] == COUNT


def test_reranked_matches_of_each_direction(pipeline):
    received = []

    def rerank(*arguments):
        received.extend(arguments)
        return MATCHED, -MATCHED

    reranker = SimpleNamespace(count=4, rerank=rerank)
    reranked = evaluate_retrieval(Images(TEXTS), pipeline, reranker)["reranked"]
    assert reranked["matches"] == 4
    assert reranked["image_to_text"]["r1"] == 100
    assert reranked["text_to_image"]["r10"] == 0
    np.testing.assert_array_equal(received[0], np.roll(MATCHED, 1, axis=0))
    assert list(received[2][:, 1] - 3) == list(range(COUNT))
