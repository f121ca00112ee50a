"""Retrieval metrics, compared with random orders of the candidates."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasgan.evaluation import retrieval
from kerasgan.evaluation.retrieval import ranks_from_similarity, scores_from_similarity

OWNERS = np.array([0, 0, 1, 2, 2, 2])
SIMILARITY = np.array(
    [
        [0.9, 0.1, 0.3, 0.3, 0.2, 0.0],
        [0.8, 0.9, 0.5, 0.5, 0.4, 0.1],
        [0.8, 0.1, 0.7, 0.3, 0.3, 0.2],
    ]
)


def naive_rank(scores, is_correct):
    """Returns the mean rank over all orders of candidates by descending score."""
    ranks = [
        1 + min(rank for rank, candidate in enumerate(order) if is_correct[candidate])
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    return np.mean(ranks)


def test_ranks_by_hand():
    image_ranks, caption_ranks = ranks_from_similarity(SIMILARITY, OWNERS)
    # Image 1: captions 0 and 1 are better, caption 3 ties. Image 2: captions 0
    # and 2 are better, two correct ones tie.
    assert image_ranks.tolist() == [1, 3.5, 3]
    assert caption_ranks.tolist() == [1, 2.5, 2, 2.5, 2, 1]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_ranks_in_ties_are_those_expected_of_a_random_order(data):
    images = data.draw(st.integers(1, 5))
    owners = data.draw(st.lists(st.integers(0, images - 1), min_size=1, max_size=5))
    row = st.lists(st.integers(0, 2), min_size=len(owners), max_size=len(owners))
    rows = data.draw(st.lists(row, min_size=images, max_size=images))
    image_ranks, caption_ranks = ranks_from_similarity(rows, owners)
    for image in range(images):
        is_correct = [owner == image for owner in owners]
        expected = np.nan
        if any(is_correct):
            expected = naive_rank(rows[image], is_correct)
        assert image_ranks[image] == pytest.approx(expected, nan_ok=True)
    for caption, owner in enumerate(owners):
        scores = [row[caption] for row in rows]
        is_correct = [image == owner for image in range(images)]
        expected = naive_rank(scores, is_correct)
        assert caption_ranks[caption] == pytest.approx(expected)


def test_results_do_not_depend_on_the_chunk_size(monkeypatch):
    random = np.random.default_rng(0)
    similarity = random.integers(0, 9, (40, 90))
    owners = random.integers(0, 40, 90)
    whole = ranks_from_similarity(similarity, owners)
    monkeypatch.setattr(retrieval, "CHUNK_SIZE", 7)
    chunked = ranks_from_similarity(similarity, owners)
    for ranks, expected in zip(chunked, whole, strict=True):
        np.testing.assert_array_equal(ranks, expected)


def test_scores_by_hand():
    scores = scores_from_similarity(SIMILARITY, OWNERS)
    assert scores["image_to_text"] == pytest.approx(
        {"r1": 100 / 3, "r5": 100, "r10": 100, "median_rank": 3}
    )
    assert scores["text_to_image"] == pytest.approx(
        {"r1": 100 / 3, "r5": 100, "r10": 100, "median_rank": 2}
    )
    assert (scores["images"], scores["captions"], scores["missing"]) == (3, 6, 0)
    # A random first caption is right for 2, 1 and 3 of 6; a random image for 1 of 3;
    # five miss the single caption of image 1 once in six times.
    assert scores["chance"] == {
        "image_to_text": pytest.approx({"r1": 100 / 3, "r5": 1700 / 18, "r10": 100}),
        "text_to_image": pytest.approx({"r1": 100 / 3, "r5": 100, "r10": 100}),
    }


def test_random_scores_reach_chance():
    random = np.random.default_rng(1)
    owners = np.repeat(np.arange(60), 3)
    samples = [
        scores_from_similarity(random.random((60, 180)), owners) for _ in range(300)
    ]
    for direction, chance in samples[0]["chance"].items():
        for name, expected in chance.items():
            mean = np.mean([scores[direction][name] for scores in samples])
            assert mean == pytest.approx(expected, rel=0.15), (direction, name)


def test_a_constant_similarity_ranks_in_the_middle():
    scores = scores_from_similarity(np.zeros((50, 50)), np.arange(50))
    for direction in ("image_to_text", "text_to_image"):
        assert scores[direction] == {"r1": 0, "r5": 0, "r10": 0, "median_rank": 25.5}


def test_matching_vectors_are_retrieved():
    images = np.eye(20)
    captions = np.repeat(images, 2, axis=0) + 0.1
    scores = retrieval.retrieval_scores(images, captions, np.repeat(np.arange(20), 2))
    best = {"r1": 100, "r5": 100, "r10": 100, "median_rank": 1}
    assert scores["image_to_text"] == scores["text_to_image"] == best
    assert (scores["images"], scores["captions"]) == (20, 40)
    mismatched = retrieval.retrieval_scores(
        images, captions, np.repeat(np.arange(20), 2) ^ 1
    )
    assert mismatched["image_to_text"]["r1"] == mismatched["text_to_image"]["r1"] == 0


def test_an_image_without_a_caption_is_a_candidate_but_not_a_query():
    scores = scores_from_similarity([[0.9, 0.1], [0.2, 0.3], [0.1, 0.8]], [0, 1])
    assert (scores["images"], scores["missing"]) == (3, 1)
    assert scores["image_to_text"]["r1"] == 100
    assert scores["text_to_image"]["r1"] == 50
    assert scores["chance"]["image_to_text"]["r1"] == pytest.approx(50)
    assert scores["chance"]["text_to_image"]["r1"] == pytest.approx(100 / 3)


def test_nan_and_invalid_owners_raise():
    with_nan = np.where(SIMILARITY == 0.9, np.nan, SIMILARITY)
    with pytest.raises(ValueError, match="Received: 2 of 18"):
        ranks_from_similarity(with_nan, OWNERS)
    with pytest.raises(ValueError, match="one of 3 images .* values .*3"):
        ranks_from_similarity(SIMILARITY, OWNERS + 1)
    with pytest.raises(ValueError, match="each of 6 captions. Received: shape .5,."):
        ranks_from_similarity(SIMILARITY, OWNERS[1:])
