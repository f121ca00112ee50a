"""Pairs judged by a threshold, against counting and against scikit-learn."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from kerasgan.evaluation.pair_protocol import (
    auc,
    best_threshold,
    confusion_counts,
    derangements,
    fit_threshold,
    judge_at_threshold,
    matched_and_mismatched,
)

RANDOM = np.random.default_rng(0)
# One decimal, so that ties are common; own images score higher.
MATRIX = (RANDOM.uniform(0, 0.8, (30, 30)) + 0.2 * np.eye(30)).round(1)
WITH_GAPS = np.insert(np.insert(MATRIX, [0, 7], np.nan, 0), [0, 7], np.nan, 1)
SCORES = st.lists(st.integers(0, 8).map(lambda n: n / 8), min_size=1, max_size=12)


def test_derangements_have_no_fixed_point_and_follow_the_seed():
    drawn = derangements(11, 20, seed=3)
    assert drawn.shape == (20, 11)
    assert (np.sort(drawn, axis=1) == np.arange(11)).all()
    assert (drawn != np.arange(11)).all()
    np.testing.assert_array_equal(drawn, derangements(11, 20, seed=3))
    assert (drawn != derangements(11, 20, seed=4)).any()


def test_all_derangements_are_equally_likely():
    counts = Counter(map(tuple, derangements(4, 9000).tolist()))
    assert len(counts) == 9  # of 4 things, six of them one cycle
    assert all(850 < count < 1150 for count in counts.values())


def test_one_image_has_no_mismatched_pair():
    for judgement in (
        lambda m: judge_at_threshold(m, 0.5),
        auc,
        matched_and_mismatched,
    ):
        with pytest.raises(ValueError, match="at least two images .* Received: 1"):
            judgement(np.array([[0.3, np.nan], [np.nan, np.nan]]))
    with pytest.raises(ValueError, match="Received: 0"):
        derangements(0, 1)


def test_confusion_counts_a_score_at_the_threshold_as_positive():
    found = confusion_counts([0.5, 0.9, 0.49, 0.8], [0.5, 0.1, 0.2], 0.5)
    assert found == {
        "threshold": 0.5,
        **{"tp": 3, "fp": 1, "fn": 1, "tn": 2},
        "precision": 0.75,
        "recall": 0.75,
        "f1": 0.75,
        "accuracy": pytest.approx(5 / 7),
    }


def test_papers_table_in_whole_numbers():
    found = confusion_counts([1] * 32 + [0] * 9, [1] * 7 + [0] * 29, 0.5)
    figures = [found[name] for name in ("precision", "recall", "accuracy")]
    assert figures == pytest.approx([0.8205, 0.7805, 0.7922], abs=5e-5)


def test_nothing_found_is_zero():
    found = confusion_counts([0.1], [0.2], 0.5)
    assert (found["precision"], found["recall"], found["f1"]) == (0, 0, 0)
    assert found["accuracy"] == 0.5
    assert confusion_counts([], [], 0.5)["accuracy"] == 0


@given(SCORES, SCORES)
def test_no_other_threshold_does_better(matched, mismatched):
    best = confusion_counts(matched, mismatched, best_threshold(matched, mismatched))
    tried = [step / 32 for step in range(-1, 8 * 4 + 1) if step / 32 <= max(matched)]
    assert best["accuracy"] >= max(
        confusion_counts(matched, mismatched, threshold)["accuracy"]
        for threshold in tried
    )


def test_best_threshold_lies_in_the_middle_of_the_gap():
    assert best_threshold([0.8, 0.6, 0.9], [0.1, 0.2, 0.3]) == pytest.approx(0.45)
    # 0.35, 0.4, 0.75 and 0.8 each leave one pair wrong
    assert best_threshold([0.4, 0.8], [0.3, 0.7]) == pytest.approx(0.4)
    assert best_threshold([0.2], [0.2]) == 0.2


def test_the_validated_threshold_varies_less_with_the_images():
    """Than the best one; over thousands of images they are alike."""
    random = np.random.default_rng(0)

    def matrix(images):
        return random.normal(size=(images, images)) + 1.5 * np.eye(images)

    drawn = [matrix(40) for _ in range(20)]
    bagged = [fit_threshold(one, bootstrap=30) for one in drawn]
    plain = [best_threshold(*matched_and_mismatched(one)) for one in drawn]
    assert np.std(bagged) < 0.8 * np.std(plain)
    assert abs(np.mean(bagged) - 0.75) < 0.1  # where the two bells cross
    assert fit_threshold(WITH_GAPS) == fit_threshold(MATRIX)


def naive_auc(matrix):
    n = len(matrix)
    matched = np.diag(matrix)
    mismatched = [matrix[i, j] for i in range(n) for j in range(n) if i != j]
    truth = [1] * n + [0] * len(mismatched)
    return roc_auc_score(truth, [*matched, *mismatched])


def test_auc_against_scikit_learn_with_ties_and_gaps():
    assert auc(MATRIX)[0] == pytest.approx(naive_auc(MATRIX))
    assert 0.6 < auc(MATRIX)[0] < 0.9
    assert auc(WITH_GAPS) == auc(MATRIX)


@settings(deadline=None)
@given(st.lists(SCORES, min_size=2, max_size=6), st.integers(0, 9))
def test_auc_of_any_matrix(rows, seed):
    matrix = np.resize(np.concatenate(rows), (len(rows), len(rows)))
    area, low, high = auc(matrix, bootstrap=5, seed=seed)
    assert area == pytest.approx(naive_auc(matrix))
    assert 0 <= low <= high <= 1


def test_auc_of_perfect_blind_and_inverted_scores():
    assert auc(np.eye(5)) == (1, 1, 1)
    assert auc(np.full((5, 5), 0.3)) == (0.5, 0.5, 0.5)
    assert auc(1 - np.eye(5)) == (0, 0, 0)


def test_interval_against_copied_rows_and_columns():
    random, areas = np.random.default_rng(5), []
    for _ in range(40):
        drawn = random.integers(30, size=30)
        matched = [MATRIX[row, row] for row in drawn]
        mismatched = [MATRIX[i, j] for i in drawn for j in drawn if i != j]
        truth = [1] * len(matched) + [0] * len(mismatched)
        areas.append(roc_auc_score(truth, matched + mismatched))
    _, low, high = auc(MATRIX, bootstrap=40, seed=5)
    assert (low, high) == pytest.approx(tuple(np.percentile(areas, [2.5, 97.5])))
    assert low < high


def test_judge_sums_the_cells_over_derangements():
    found = judge_at_threshold(WITH_GAPS, threshold=0.7, derangement_count=4, seed=2)
    orders = derangements(30, 4, seed=2)
    for name, threshold in (("at_half", 0.5), ("at_validated", 0.7)):
        tp = 4 * sum(MATRIX[i, i] >= threshold for i in range(30))
        fp = sum(MATRIX[i, j] >= threshold for row in orders for i, j in enumerate(row))
        cells = {"tp": tp, "fp": fp, "fn": 120 - tp, "tn": 120 - fp}
        assert cells.items() <= found[name].items()
        assert found[name]["threshold"] == threshold
        assert found[name]["precision"] == pytest.approx(tp / (tp + fp))
        assert found[name]["accuracy"] == pytest.approx((tp + 120 - fp) / 240)
    counts = ("images", "missing", "pairs", "derangements")
    assert [found[name] for name in counts] == [30, 2, 60, 4]
    assert (found["auc"], found["auc_low"], found["auc_high"]) == auc(MATRIX, seed=2)


def test_strict_reading_has_no_mismatched_pair():
    strict = judge_at_threshold(MATRIX, threshold=0.7)["strict"]
    assert strict["fp"] == strict["tn"] == 0 and strict["tp"] + strict["fn"] == 30
    assert strict["precision"] == 1
    assert strict["accuracy"] == strict["recall"] == (np.diag(MATRIX) >= 0.5).mean()
