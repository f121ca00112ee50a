"""The weights of the log-linear pool."""

import numpy as np
import pytest
from scipy import special

from kerasgan.classification.ensemble_weights import fit_ensemble_weights

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 3, 400)


def part(skill):
    """Log-probabilities of a part that knows the answer the better the more skill."""
    logits = RANDOM.normal(size=(400, 3)) + skill * np.eye(3)[LABELS]
    return special.log_softmax(logits, axis=1)


def loss(weights, parts):
    found = special.log_softmax(np.einsum("npc,p->nc", parts, weights), axis=1)
    return -found[np.arange(400), LABELS].mean()


def test_weights_are_the_best_of_a_grid():
    parts = np.stack([part(1.0), part(2.0)], axis=1)
    found = fit_ensemble_weights(parts, LABELS)
    grid = np.linspace(0, 3, 61)
    best = min(loss(np.array([a, b]), parts) for a in grid for b in grid)
    assert loss(found, parts) == pytest.approx(best, abs=2e-3)


def test_noise_gets_next_to_no_weight():
    weights = fit_ensemble_weights(np.stack([part(3.0), part(0.0)], axis=1), LABELS)
    assert weights[0] > 10 * weights[1]


def test_independent_parts_are_better_than_each():
    parts = np.stack([part(1.0), part(1.0)], axis=1)
    weights = fit_ensemble_weights(parts, LABELS)
    pooled = np.einsum("npc,p->nc", parts, weights).argmax(1) == LABELS
    alone = [(parts[:, n].argmax(1) == LABELS).mean() for n in range(2)]
    assert pooled.mean() > max(alone)


def test_nothing_to_fit_on_trusts_all_alike():
    assert fit_ensemble_weights(np.zeros((0, 3, 2)), np.zeros(0, int)).tolist() == [
        1,
        1,
        1,
    ]
