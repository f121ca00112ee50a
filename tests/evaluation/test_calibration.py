"""The expected calibration error."""

import numpy as np
import pytest
from scipy import special
from sklearn.calibration import calibration_curve

from kerasgan.evaluation.calibration import NUM_BINS, calibration_scores

RANDOM = np.random.default_rng(0)
PROBABILITIES = special.softmax(2 * RANDOM.normal(size=(500, 4)), axis=1)
LABELS = RANDOM.integers(0, 4, 500)


def naive_error(labels, probabilities):
    error = 0.0
    for number in range(NUM_BINS):
        rows = [
            row
            for row, values in enumerate(probabilities)
            if number / NUM_BINS < max(values) <= (number + 1) / NUM_BINS
        ]
        if rows:
            confidence = np.mean([max(probabilities[row]) for row in rows])
            accuracy = np.mean([probabilities[r].argmax() == labels[r] for r in rows])
            error += len(rows) / len(labels) * abs(accuracy - confidence)
    return error


def test_the_error_equals_naive_code():
    error = calibration_scores(LABELS, PROBABILITIES)["ece"]
    assert error == pytest.approx(naive_error(LABELS, PROBABILITIES))
    assert error > 0.2  # labels at random


def test_the_diagram_equals_scikit_learn():
    bins = calibration_scores(LABELS, PROBABILITIES)["reliability"]
    accuracies, confidences = calibration_curve(
        PROBABILITIES.argmax(1) == LABELS, PROBABILITIES.max(1), n_bins=NUM_BINS
    )
    np.testing.assert_allclose([b["accuracy"] for b in bins], accuracies)
    np.testing.assert_allclose([b["confidence"] for b in bins], confidences)
    assert sum(b["pairs"] for b in bins) == 500


def test_a_calibrated_classifier_has_almost_no_error():
    labels = (RANDOM.random((500, 1)) > PROBABILITIES.cumsum(1)[:, :-1]).sum(1)
    assert calibration_scores(labels, PROBABILITIES)["ece"] < 0.08


def test_certainty_is_the_last_bin():
    scores = calibration_scores(np.array([0, 0, 1, 1]), np.eye(2)[[0, 0, 0, 1]])
    assert scores["ece"] == 0.25
    assert scores["reliability"] == [{"confidence": 1.0, "accuracy": 0.75, "pairs": 4}]
