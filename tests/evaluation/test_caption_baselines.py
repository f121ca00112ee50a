import numpy as np

from kerasgan.evaluation.caption_baselines import CaptionBaselines
from kerasgan.evaluation.tfidf_similarity import fit_tfidf

CAPTIONS = [
    ["a dog runs", "a brown dog runs on grass"],
    ["a dog runs", "two dogs"],
    ["a red boat", "a boat on water", "a dog runs"],
    ["people sing"],
]
VECTORS = np.eye(4)
BASELINES = CaptionBaselines(CAPTIONS, VECTORS, fit_tfidf(sum(CAPTIONS, [])))


def test_frequent_repeats_the_most_frequent_caption():
    assert BASELINES.frequent(2) == ["a dog runs"] * 2


def test_random_captions_follow_the_seed():
    captions = BASELINES.random(50, seed=1)
    assert captions == BASELINES.random(50, seed=1) != BASELINES.random(50, seed=2)
    assert set(captions) <= {text for group in CAPTIONS for text in group}


def test_nearest_returns_the_caption_of_the_most_similar_image():
    vectors = np.array([[0.1, 0, 0.9, 0], [0, 0, 0, 1.0]])
    assert BASELINES.nearest(vectors) == ["a red boat", "people sing"]


def test_consensus_is_the_caption_most_similar_to_those_of_the_neighbors():
    # By hand: three of the seven captions of images 0 to 2 are equal.
    vectors = np.array([[0.5, 0.5, 0.5, 0.0]])
    assert BASELINES.consensus(vectors, 3) == ["a dog runs"]
    assert BASELINES.consensus(np.eye(4)[3:], 1) == ["people sing"]
