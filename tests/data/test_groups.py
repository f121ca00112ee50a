"""Images that belong together are not separated."""

import json

import numpy as np
import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data import load_data
from kerasgan.data.groups import hold_out_groups, number_groups
from kerasgan.errors import UserError
from tests.data import makers

NAMES = makers.names(18)


def make_table(tmp_path, rows, **settings):
    """Writes a table of images that differ, except for the first two."""
    makers.write_images(tmp_path, NAMES)
    (tmp_path / NAMES[1]).write_bytes((tmp_path / NAMES[0]).read_bytes())
    return DataConfig(
        dataset="table",
        source=str(makers.table(tmp_path, ["image,text", *rows])),
        data_dir=str(tmp_path / "prepared"),
        image_size=16,
        **settings,
    )


def partition(pairs):
    """The sets of ids that share a group."""
    return {
        frozenset(np.array(split.ids)[split.groups == group])
        for split in (pairs.train, pairs.test)
        for group in split.groups
    }


def test_groups_of_rows_with_several_images(tmp_path):
    triples = [NAMES[n : n + 3] for n in range(0, 18, 3)]
    rows = [f"{';'.join(names)},row {names[0]}" for names in triples]
    pairs = load_data(make_table(tmp_path, rows, split=0.67), progress=False)
    assert len(pairs.train.ids) == 12
    assert partition(pairs) == set(map(frozenset, triples))


@pytest.mark.parametrize("group_by", ["images", "captions"])
def test_groups_of_equal_images_and_equal_texts(tmp_path, group_by):
    rows = [f"{name},text {n % 9}" for n, name in enumerate(NAMES)]
    config = make_table(tmp_path, rows, group_by=group_by)
    sizes = sorted(map(len, partition(load_data(config, progress=False))))
    # With captions, the rows of two texts are joined by the equal images.
    assert sizes == ([1] * 16 + [2] if group_by == "images" else [2] * 7 + [4])


def test_data_of_earlier_versions_have_no_groups(tmp_path):
    config = make_table(tmp_path, [f"{name},text" for name in NAMES])
    path = load_data(config, progress=False).path / "data.json"
    info = json.loads(path.read_text())
    assert set(info.pop("groups")) == set(NAMES[:2])
    del info["checksum"]  # which they did not have either
    path.write_text(json.dumps(info))
    pairs = load_data(config, progress=False)
    assert pairs.was_prepared
    assert pairs.train.groups.tolist() == list(range(len(pairs.train.ids)))


def test_groups_are_numbered_by_their_first_rows():
    numbers = number_groups(["a", "b", "c", "d"], {"b": 0, "d": 0, "e": 1})
    assert numbers.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize("count", [1, 4, 10])
def test_of_single_images_the_first_are_held_out(count):
    order = np.random.default_rng(0).permutation(20)[:12]
    train, held_out = hold_out_groups(order, np.arange(20), count)
    np.testing.assert_array_equal(held_out, order[:count])
    np.testing.assert_array_equal(train, order[count:])


@pytest.mark.parametrize(
    ("groups", "count", "expected"),
    [
        ([0, 0, 0, 1, 1, 1, 2, 2, 2], 3, [0, 1, 2]),
        ([0, 1, 1, 1, 0, 0, 2, 2, 2], 3, [0, 4, 5]),
        ([0, 0, 0, 1, 1, 1, 2, 2, 2], 1, [0, 1, 2]),  # the smallest exceeds the count
        ([0, 0, 0, 0, 0, 1, 2, 2, 3], 2, [5, 8]),  # one large group is passed over
        ([0, 0, 0, 0, 1, 1, 1, 1, 2], 3, [0, 1, 2, 3, 8]),  # one is not enough
        ([0, 0, 0, 0, 0, 0, 0, 0, 1], 2, [8]),  # one group is left to train on
    ],
)
def test_groups_are_held_out_as_a_whole(groups, count, expected):
    groups = np.array(groups)
    train, held_out = hold_out_groups(np.arange(9), groups, count)
    assert held_out.tolist() == expected
    assert sorted([*train, *held_out]) == list(range(9))
    assert not set(groups[train]) & set(groups[held_out])


def test_a_single_group_cannot_be_divided():
    with pytest.raises(UserError, match="Received: 5 training images"):
        hold_out_groups(np.arange(5), np.zeros(5, int), 1)
