"""Paper A's protocol, compared with loops and with scikit-learn."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from kerasgan.evaluation.pair_protocol import (
    auc,
    auc_interval,
    best_threshold,
    confusion_counts,
    derangements,
    evaluate_at_threshold,
    fit_threshold,
    matched_and_mismatched,
)

RANDOM = np.random.default_rng(0)
# One decimal, so that ties are common; matched pairs score higher.
MATRIX = (RANDOM.uniform(0, 0.8, (30, 30)) + 0.2 * np.eye(30)).round(1)
WITH_MISSING = np.insert(np.insert(MATRIX, [0, 7], np.nan, 0), [0, 7], np.nan, 1)
SCORES = st.lists(st.integers(0, 8).map(lambda n: n / 8), min_size=1, max_size=12)


def test_derangements_have_no_fixed_point_and_follow_the_seed():
    orders = derangements(11, 20, seed=3)
    assert orders.shape == (20, 11)
    assert (np.sort(orders, axis=1) == np.arange(11)).all()
    assert (orders != np.arange(11)).all()
    np.testing.assert_array_equal(orders, derangements(11, 20, seed=3))
    assert (orders != derangements(11, 20, seed=4)).any()


def test_all_derangements_are_equally_likely():
    counts = Counter(map(tuple, derangements(4, 9000).tolist()))
    assert len(counts) == 9  # six of them are a single cycle
    assert all(850 < count < 1150 for count in counts.values())


def test_a_single_image_has_no_mismatched_pair():
    for evaluate in (
        lambda m: evaluate_at_threshold(m, 0.5),
        auc,
        matched_and_mismatched,
    ):
        with pytest.raises(ValueError, match="at least two images .* Received: 1"):
            evaluate(np.array([[0.3, np.nan], [np.nan, np.nan]]))
    with pytest.raises(ValueError, match="Received: 0"):
        derangements(0, 1)


def test_a_score_equal_to_the_threshold_is_positive():
    counts = confusion_counts([0.5, 0.9, 0.49, 0.8], [0.5, 0.1, 0.2], 0.5)
    assert counts == {
        "threshold": 0.5,
        **{"tp": 3, "fp": 1, "fn": 1, "tn": 2},
        "precision": 0.75,
        "recall": 0.75,
        "f1": 0.75,
        "accuracy": pytest.approx(5 / 7),
    }


def test_whole_numbers_nearest_to_the_papers_table():
    counts = confusion_counts([1] * 32 + [0] * 9, [1] * 7 + [0] * 29, 0.5)
    rates = [counts[name] for name in ("precision", "recall", "accuracy")]
    assert rates == pytest.approx([0.8205, 0.7805, 0.7922], abs=5e-5)


def test_rates_without_positives_are_zero():
    counts = confusion_counts([0.1], [0.2], 0.5)
    assert (counts["precision"], counts["recall"], counts["f1"]) == (0, 0, 0)
    assert counts["accuracy"] == 0.5
    assert confusion_counts([], [], 0.5)["accuracy"] == 0


@given(SCORES, SCORES)
def test_no_other_threshold_has_a_higher_accuracy(matched, mismatched):
    best = confusion_counts(matched, mismatched, best_threshold(matched, mismatched))
    candidates = [
        step / 32 for step in range(-1, 8 * 4 + 1) if step / 32 <= max(matched)
    ]
    assert best["accuracy"] >= max(
        confusion_counts(matched, mismatched, threshold)["accuracy"]
        for threshold in candidates
    )


def test_best_threshold_lies_in_the_middle_of_the_gap():
    assert best_threshold([0.8, 0.6, 0.9], [0.1, 0.2, 0.3]) == pytest.approx(0.45)
    # 0.35, 0.4, 0.75 and 0.8 each misclassify one pair
    assert best_threshold([0.4, 0.8], [0.3, 0.7]) == pytest.approx(0.4)
    assert best_threshold([0.2], [0.2]) == 0.2


def test_the_bagged_threshold_varies_less_than_the_best_one():
    """With thousands of images both vary equally little."""
    random = np.random.default_rng(0)

    def random_matrix(n):
        return random.normal(size=(n, n)) + 1.5 * np.eye(n)

    matrices = [random_matrix(40) for _ in range(20)]
    bagged = [fit_threshold(matrix, num_resamples=30) for matrix in matrices]
    best = [best_threshold(*matched_and_mismatched(matrix)) for matrix in matrices]
    assert np.std(bagged) < 0.8 * np.std(best)
    assert abs(np.mean(bagged) - 0.75) < 0.1  # where the two densities cross
    assert fit_threshold(WITH_MISSING) == fit_threshold(MATRIX)


def naive_auc(matrix):
    n = len(matrix)
    matched = np.diag(matrix)
    mismatched = [matrix[i, j] for i in range(n) for j in range(n) if i != j]
    labels = [1] * n + [0] * len(mismatched)
    return roc_auc_score(labels, [*matched, *mismatched])


def test_auc_equals_that_of_scikit_learn():
    assert auc(MATRIX) == pytest.approx(naive_auc(MATRIX))
    assert 0.6 < auc(MATRIX) < 0.9
    assert auc(WITH_MISSING) == auc(MATRIX)


@settings(deadline=None)
@given(st.lists(SCORES, min_size=2, max_size=6), st.integers(0, 9))
def test_auc_of_any_matrix(rows, seed):
    matrix = np.resize(np.concatenate(rows), (len(rows), len(rows)))
    assert auc(matrix) == pytest.approx(naive_auc(matrix))
    low, high = auc_interval(matrix, num_resamples=5, seed=seed)
    assert 0 <= low <= high <= 1


def test_auc_of_perfect_constant_and_inverted_scores():
    equal = np.full((5, 5), 0.3)
    for matrix, area in ((np.eye(5), 1), (equal, 0.5), (1 - np.eye(5), 0)):
        assert auc(matrix) == area
        assert auc_interval(matrix) == (area, area)


def test_interval_equals_that_of_copied_rows_and_columns():
    random, areas = np.random.default_rng(5), []
    for _ in range(40):
        rows = random.integers(30, size=30)
        matched = [MATRIX[row, row] for row in rows]
        mismatched = [MATRIX[i, j] for i in rows for j in rows if i != j]
        labels = [1] * len(matched) + [0] * len(mismatched)
        areas.append(roc_auc_score(labels, matched + mismatched))
    low, high = auc_interval(MATRIX, num_resamples=40, seed=5)
    assert (low, high) == pytest.approx(tuple(np.percentile(areas, [2.5, 97.5])))
    assert low < high


def test_cells_are_summed_over_derangements():
    scores = evaluate_at_threshold(
        WITH_MISSING, threshold=0.7, num_derangements=4, seed=2
    )
    orders = derangements(30, 4, seed=2)
    for name, threshold in (("at_half", 0.5), ("at_validated", 0.7)):
        tp = 4 * sum(MATRIX[i, i] >= threshold for i in range(30))
        fp = sum(MATRIX[i, j] >= threshold for row in orders for i, j in enumerate(row))
        cells = {"tp": tp, "fp": fp, "fn": 120 - tp, "tn": 120 - fp}
        assert cells.items() <= scores[name].items()
        assert scores[name]["threshold"] == threshold
        assert scores[name]["precision"] == pytest.approx(tp / (tp + fp))
        assert scores[name]["accuracy"] == pytest.approx((tp + 120 - fp) / 240)
    keys = ("images", "missing", "pairs", "derangements")
    assert [scores[name] for name in keys] == [30, 2, 60, 4]
    assert scores["auc"] == auc(MATRIX)
    assert (scores["auc_low"], scores["auc_high"]) == auc_interval(MATRIX, seed=2)


def test_strict_counts_have_no_mismatched_pair():
    strict = evaluate_at_threshold(MATRIX, threshold=0.7)["strict"]
    assert strict["fp"] == strict["tn"] == 0 and strict["tp"] + strict["fn"] == 30
    assert strict["precision"] == 1
    assert strict["accuracy"] == strict["recall"] == (np.diag(MATRIX) >= 0.5).mean()
