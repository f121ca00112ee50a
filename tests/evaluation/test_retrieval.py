"""Ranks against orders drawn at random, which is what ties and chance stand for."""

from itertools import permutations

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


def naive_ranks(scores, own):
    """Mean over all orders of the candidates that put the higher scores first."""
    ranks = [
        1 + min(place for place, candidate in enumerate(order) if own[candidate])
        for order in permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in zip(order, order[1:]))
    ]
    return np.mean(ranks)


def test_ranks_by_hand():
    image_ranks, caption_ranks = ranks_from_similarity(SIMILARITY, OWNERS)
    # Image 1: captions 0 and 1 are better, caption 3 ties. Image 2: captions 0
    # and 2 are better, two of its own tie.
    assert image_ranks.tolist() == [1, 3.5, 3]
    assert caption_ranks.tolist() == [1, 2.5, 2, 2.5, 2, 1]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_ranks_are_those_expected_of_random_order_in_ties(data):
    images = data.draw(st.integers(1, 5))
    owners = data.draw(st.lists(st.integers(0, images - 1), min_size=1, max_size=5))
    row = st.lists(st.integers(0, 2), min_size=len(owners), max_size=len(owners))
    rows = data.draw(st.lists(row, min_size=images, max_size=images))
    image_ranks, caption_ranks = ranks_from_similarity(rows, owners)
    for image in range(images):
        own = [owner == image for owner in owners]
        expected = naive_ranks(rows[image], own) if any(own) else np.nan
        assert image_ranks[image] == pytest.approx(expected, nan_ok=True)
    for caption, owner in enumerate(owners):
        scores = [row[caption] for row in rows]
        own = [image == owner for image in range(images)]
        assert caption_ranks[caption] == pytest.approx(naive_ranks(scores, own))


def test_chunks_change_nothing(monkeypatch):
    random = np.random.default_rng(0)
    similarity = random.integers(0, 9, (40, 90))
    owners = random.integers(0, 40, 90)
    whole = ranks_from_similarity(similarity, owners)
    monkeypatch.setattr(retrieval, "CHUNK", 7)
    for found, expected in zip(ranks_from_similarity(similarity, owners), whole):
        np.testing.assert_array_equal(found, expected)


def test_figures_by_hand():
    found = scores_from_similarity(SIMILARITY, OWNERS)
    assert found["image_to_text"] == pytest.approx(
        {"r1": 100 / 3, "r5": 100, "r10": 100, "median_rank": 3}
    )
    assert found["text_to_image"] == pytest.approx(
        {"r1": 100 / 3, "r5": 100, "r10": 100, "median_rank": 2}
    )
    assert (found["images"], found["captions"], found["missing"]) == (3, 6, 0)
    # A random first caption is right for 2, 1 and 3 of 6; a random image for 1 of 3;
    # five miss the single caption of image 1 once in six times.
    assert found["chance"] == {
        "image_to_text": pytest.approx({"r1": 100 / 3, "r5": 1700 / 18, "r10": 100}),
        "text_to_image": pytest.approx({"r1": 100 / 3, "r5": 100, "r10": 100}),
    }


def test_random_scores_reach_chance_and_no_more():
    random = np.random.default_rng(1)
    owners = np.repeat(np.arange(60), 3)
    drawn = [
        scores_from_similarity(random.random((60, 180)), owners) for _ in range(300)
    ]
    for way, chance in drawn[0]["chance"].items():
        for name, expected in chance.items():
            mean = np.mean([found[way][name] for found in drawn])
            assert mean == pytest.approx(expected, rel=0.15), (way, name)


def test_a_constant_scorer_ranks_in_the_middle():
    found = scores_from_similarity(np.zeros((50, 50)), np.arange(50))
    for way in ("image_to_text", "text_to_image"):
        assert found[way] == {"r1": 0, "r5": 0, "r10": 0, "median_rank": 25.5}


def test_vectors_find_their_own():
    images = np.eye(20)
    captions = np.repeat(images, 2, axis=0) + 0.1
    found = retrieval.retrieval_scores(images, captions, np.repeat(np.arange(20), 2))
    best = {"r1": 100, "r5": 100, "r10": 100, "median_rank": 1}
    assert found["image_to_text"] == found["text_to_image"] == best
    assert (found["images"], found["captions"]) == (20, 40)
    moved = retrieval.retrieval_scores(
        images, captions, np.repeat(np.arange(20), 2) ^ 1
    )
    assert moved["image_to_text"]["r1"] == moved["text_to_image"]["r1"] == 0


def test_a_image_without_a_caption_competes_but_does_not_ask():
    found = scores_from_similarity([[0.9, 0.1], [0.2, 0.3], [0.1, 0.8]], [0, 1])
    assert (found["images"], found["missing"]) == (3, 1)
    assert found["image_to_text"]["r1"] == 100
    assert found["text_to_image"]["r1"] == 50
    assert found["chance"]["image_to_text"]["r1"] == pytest.approx(50)
    assert found["chance"]["text_to_image"]["r1"] == pytest.approx(100 / 3)


def test_broken_scores_and_owners_are_refused():
    broken = np.where(SIMILARITY == 0.9, np.nan, SIMILARITY)
    with pytest.raises(ValueError, match="Received: 2 of 18"):
        ranks_from_similarity(broken, OWNERS)
    with pytest.raises(ValueError, match="one of 3 images .* values .*3"):
        ranks_from_similarity(SIMILARITY, OWNERS + 1)
    with pytest.raises(ValueError, match="each of 6 captions. Received: shape .5,."):
        ranks_from_similarity(SIMILARITY, OWNERS[1:])
