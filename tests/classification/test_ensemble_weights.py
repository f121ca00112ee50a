"""The weights of a log-linear ensemble."""

import numpy as np
import pytest
from scipy import special

from kerasgan.classification.ensemble_weights import fit_ensemble_weights

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 3, 400)


def make_predictions(skill):
    """Log-probabilities of a member that is the more accurate the higher its skill."""
    logits = RANDOM.normal(size=(400, 3)) + skill * np.eye(3)[LABELS]
    return special.log_softmax(logits, axis=1)


def log_loss(weights, predictions):
    logits = np.einsum("nmc,m->nc", predictions, weights)
    return -special.log_softmax(logits, axis=1)[np.arange(400), LABELS].mean()


def test_weights_are_the_best_of_a_grid():
    predictions = np.stack([make_predictions(1.0), make_predictions(2.0)], axis=1)
    weights = fit_ensemble_weights(predictions, LABELS)
    grid = np.linspace(0, 3, 61)
    best = min(log_loss(np.array([a, b]), predictions) for a in grid for b in grid)
    assert log_loss(weights, predictions) == pytest.approx(best, abs=2e-3)


def test_noise_has_almost_no_weight():
    predictions = np.stack([make_predictions(3.0), make_predictions(0.0)], axis=1)
    weights = fit_ensemble_weights(predictions, LABELS)
    assert weights[0] > 10 * weights[1]


def test_an_ensemble_of_independent_members_is_better_than_each():
    predictions = np.stack([make_predictions(1.0), make_predictions(1.0)], axis=1)
    weights = fit_ensemble_weights(predictions, LABELS)
    is_correct = np.einsum("nmc,m->nc", predictions, weights).argmax(1) == LABELS
    accuracies = [(predictions[:, n].argmax(1) == LABELS).mean() for n in range(2)]
    assert is_correct.mean() > max(accuracies)


def test_without_examples_all_weights_are_equal():
    weights = fit_ensemble_weights(np.zeros((0, 3, 2)), np.zeros(0, int))
    assert weights.tolist() == [1, 1, 1]
