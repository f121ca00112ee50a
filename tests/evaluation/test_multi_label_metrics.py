"""Metrics of labels that are decided one by one."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from kerasgan.evaluation.multi_label_metrics import multi_label_scores


def test_metrics_by_hand():
    labels = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]])
    probabilities = np.array([[0.9, 0.1, 0], [0.8, 0.3, 0], [0.6, 0.7, 0], [0, 0, 0]])
    scores = multi_label_scores(labels, probabilities, [0.5, 0.5, 0.5], ["a", "b", "c"])
    assert scores["accuracy"] == 0.5  # the first and the last pair
    assert scores["micro_f1"] == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert scores["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)  # without c
    decided = labels, (probabilities >= 0.5).astype(int)
    macro = {"average": "macro", "zero_division": 0}
    occurring = (array[:, :2] for array in decided)
    assert scores["macro_f1"] == pytest.approx(f1_score(*occurring, **macro))
    assert f1_score(*decided, **macro) == pytest.approx((0.8 + 2 / 3) / 3)  # with c
    assert scores["mean_average_precision"] == 1.0
    assert scores["classes"]["a"] == {
        "precision": pytest.approx(2 / 3),
        "recall": 1.0,
        "f1": pytest.approx(0.8),
        "threshold": 0.5,
        "pairs": 2,
    }
    lower = multi_label_scores(labels, probabilities, [0.7, 0.2, 0.5], ["a", "b", "c"])
    assert lower["macro_f1"] == lower["accuracy"] == 1.0


def test_a_class_that_is_only_predicted_counts():
    labels = np.array([[1, 0], [1, 0]])
    scores = multi_label_scores(labels, np.full((2, 2), 0.9), [0.5, 0.5], ["a", "b"])
    assert scores["macro_f1"] == 0.5
    assert scores["classes"]["b"]["f1"] == 0
