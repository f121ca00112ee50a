"""CIDEr-D inside the graph, against the one in evaluation/."""

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.captioning.cider_reward import CiderReward
from kerasgan.evaluation.cider import cider_d

WORDS = 9
START, LENGTH = 2, 9
RANDOM = np.random.default_rng(0)


def captions(count, each):
    """Token ids of captions of 1 to 8 words, in some of which words come again."""
    ids = RANDOM.integers(3, WORDS, (count, each, LENGTH))
    ids[..., 0] = START
    words = RANDOM.integers(1, LENGTH, (count, each, 1))
    return np.where(np.arange(LENGTH) <= words, ids, 0).astype("int32")


def texts(token_ids):
    return [
        [" ".join(f"w{word}" for word in ids[1:] if word) for ids in group if ids[0]]
        for group in token_ids
    ]


def test_agreement_is_cider_d():
    references, said = captions(30, 3), captions(30, 2)
    references[::2, 1:] = 0  # every other image has one caption
    cider_reward = CiderReward(references, WORDS)
    found = cider_reward(tf.constant(said), tf.constant(references)).numpy()
    for n in range(2):
        oracle = cider_d([group[n] for group in texts(said)], texts(references))
        assert found[:, n].mean() == pytest.approx(oracle, rel=1e-5)


def test_agreement_with_oneself_is_ten():
    references = captions(20, 1)
    references[:, :, 1:5] = RANDOM.permuted(np.tile([3, 4, 5, 6], (20, 1, 1)), axis=-1)
    found = CiderReward(references, WORDS)(references, references)
    rare = np.ravel(found)[np.ravel(references)[4::LENGTH] > 0]
    assert rare.max() == pytest.approx(10, abs=1e-3)
