import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasgan.data.sampling import (
    cochran,
    connected_groups,
    sample_items,
    seeded_order,
    split_groups,
)
from kerasgan.errors import UserError


def test_the_papers_sample_is_384():
    sample = cochran(1.96, 0.5, 0.05)
    assert (sample.size, sample.n0) == (384, 384.16)
    assert sample.formula == (
        "n0 = z²·p·(1−p)/e² = 1.96²·0.5·(1−0.5)/0.05² = 384.16 → 384 (rounded down)"
    )


@pytest.mark.parametrize(
    "rounding, population, size",
    [
        ("nearest", None, 384),
        ("up", None, 385),
        ("up", 158_915, 384),
        ("down", 158_915, 383),
        ("up", 31_783, 380),
        ("down", 100, 79),
    ],
)
def test_rounding_and_population_correction(rounding, population, size):
    assert cochran(1.96, 0.5, 0.05, rounding, population).size == size


def test_exact_sizes_are_not_moved_by_floating_point():
    assert cochran(2, 0.5, 0.1, "down").size == 100
    assert cochran(2, 0.5, 0.1, "up").size == 100
    assert cochran(3, 0.5, 0.3, "nearest").size == 25


def test_the_order_depends_only_on_seed_purpose_and_ids():
    keys = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert seeded_order(keys, 0, "sample") == ["c.jpg", "b.jpg", "a.jpg", "d.jpg"]
    assert seeded_order(keys[::-1], 0, "sample") == ["c.jpg", "b.jpg", "a.jpg", "d.jpg"]
    assert seeded_order(keys, 1, "sample") == ["a.jpg", "d.jpg", "b.jpg", "c.jpg"]
    assert seeded_order(keys, 0, "split") == ["b.jpg", "c.jpg", "a.jpg", "d.jpg"]


def test_a_sample_larger_than_the_population_is_rejected():
    with pytest.raises(UserError, match="sample of 3: only 2"):
        sample_items(["a", "b"], 3, seed=0)


def test_the_papers_split_is_307_and_77():
    ids = {f"{index}.jpg": str(index) for index in range(384)}
    assert len(split_groups(ids, 0.8, seed=0)) == 307


def test_ids_linked_by_other_ids_are_one_group():
    keys = {"a": ["1"], "b": ["2", "x"], "c": ["3", "y"], "d": ["2", "y"], "e": ["1"]}
    groups = connected_groups(keys)
    assert groups["b"] == groups["c"] == groups["d"]
    assert groups["a"] == groups["e"] != groups["b"]
    chain = {str(n): [f"left {n}", f"left {n + 1}"] for n in range(2000)}
    assert len(set(connected_groups(chain).values())) == 1


def test_groups_stay_together_and_the_size_stays_exact():
    ids = {
        f"{index:03}": str(index // 3 if index < 30 else index) for index in range(99)
    }
    for seed in range(20):
        train = split_groups(ids, 0.8, seed)
        assert len(train) == 79
        groups = {(ids[name], name in train) for name in ids}
        assert len(groups) == len(set(ids.values()))


@given(
    count=st.integers(2, 60),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**31 - 1),
)
def test_no_split_is_empty(count, share, seed):
    train = split_groups(
        {str(index): str(index) for index in range(count)}, share, seed
    )
    assert 1 <= len(train) <= count - 1
    assert abs(len(train) - count * share) <= 1


def test_one_image_cannot_be_split():
    with pytest.raises(UserError, match="2 different images .* Received: 1"):
        split_groups({"a": "1"}, 0.5, 0)
    with pytest.raises(UserError, match="2 different images .* Received: 1"):
        split_groups({"a": "1", "b": "1"}, 0.5, 0)


def test_groups_larger_than_a_split_do_not_leave_it_empty():
    ids = {f"{index:02}": str(index // 5) for index in range(10)}
    assert len(split_groups(ids, 0.2, seed=0)) == 5
