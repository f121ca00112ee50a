"""Examples, and how they are divided."""

import numpy as np
import pytest

from kerasgan.classification.examples import PairExamples


def make_examples(count, groups=None):
    ids = [str(row) for row in range(count)]
    return PairExamples(ids, None, [[]] * count, np.zeros(count, int), groups=groups)


@pytest.mark.parametrize(("count", "share"), [(40, 0.2), (13, 0.5), (5, 0.01)])
def test_single_examples_are_held_out_by_a_permutation(count, share):
    train, held_out = make_examples(count).hold_out(share, seed=3)
    rows = np.random.default_rng(3).permutation(count)
    size = max(1, round(share * count))
    np.testing.assert_array_equal(held_out, rows[:size])
    np.testing.assert_array_equal(train, rows[size:])


def test_groups_are_held_out_as_a_whole():
    groups = np.arange(30) % 10
    train, held_out = make_examples(30, groups).hold_out(0.2)
    assert (len(train), len(held_out)) == (24, 6)
    assert not set(groups[train]) & set(groups[held_out])


def test_selected_examples_keep_their_groups():
    examples = make_examples(6, np.array([0, 0, 2, 2, 4, 4]))
    assert examples[[1, 4, 5]].groups.tolist() == [0, 4, 4]
