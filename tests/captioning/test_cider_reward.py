"""CIDEr-D inside the graph, compared with the one in evaluation/."""

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.captioning.cider_reward import CiderReward
from kerasgan.evaluation.cider import cider_d

VOCABULARY_SIZE = 9
START, LENGTH = 2, 9
RANDOM = np.random.default_rng(0)


def make_captions(count, num_captions):
    """Token ids of captions of 1 to 8 words, some of which repeat words."""
    ids = RANDOM.integers(3, VOCABULARY_SIZE, (count, num_captions, LENGTH))
    ids[..., 0] = START
    lengths = RANDOM.integers(1, LENGTH, (count, num_captions, 1))
    return np.where(np.arange(LENGTH) <= lengths, ids, 0).astype("int32")


def texts(token_ids):
    return [
        [" ".join(f"w{word}" for word in ids[1:] if word) for ids in group if ids[0]]
        for group in token_ids
    ]


def test_rewards_equal_cider_d():
    references, generated = make_captions(30, 3), make_captions(30, 2)
    references[::2, 1:] = 0  # every other image has one reference
    cider_reward = CiderReward(references, VOCABULARY_SIZE)
    scores = cider_reward(tf.constant(generated), tf.constant(references)).numpy()
    for n in range(2):
        oracle = cider_d([group[n] for group in texts(generated)], texts(references))
        assert scores[:, n].mean() == pytest.approx(oracle, rel=1e-5)


def test_a_caption_compared_with_itself_scores_ten():
    references = make_captions(20, 1)
    references[:, :, 1:5] = RANDOM.permuted(np.tile([3, 4, 5, 6], (20, 1, 1)), axis=-1)
    scores = CiderReward(references, VOCABULARY_SIZE)(references, references)
    long_captions = np.ravel(scores)[np.ravel(references)[4::LENGTH] > 0]
    assert long_captions.max() == pytest.approx(10, abs=1e-3)
