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


def test_frequent():
    assert BASELINES.frequent(2) == ["a dog runs"] * 2


def test_random_is_seeded():
    drawn = BASELINES.random(50, seed=1)
    assert drawn == BASELINES.random(50, seed=1) != BASELINES.random(50, seed=2)
    assert set(drawn) <= {text for group in CAPTIONS for text in group}


def test_nearest_speaks_for_the_most_similar_image():
    vectors = np.array([[0.1, 0, 0.9, 0], [0, 0, 0, 1.0]])
    assert BASELINES.nearest(vectors) == ["a red boat", "people sing"]


def test_consensus_is_the_caption_most_like_all_of_the_neighbours():
    # By hand: three of the seven captions of images 0 to 2 say the same.
    vectors = np.array([[0.5, 0.5, 0.5, 0.0]])
    assert BASELINES.consensus(vectors, 3) == ["a dog runs"]
    assert BASELINES.consensus(np.eye(4)[3:], 1) == ["people sing"]
