"""Temperature scaling."""

import numpy as np
import pytest
from scipy import special

from kerasgan.classification.temperature import fit_temperature

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(0, 2, (4000, 5))
LABELS = (LOGITS + RANDOM.gumbel(size=LOGITS.shape)).argmax(1)  # p = softmax(LOGITS)


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0])
def test_the_scale_of_the_logits_is_found(scale):
    log_probabilities = special.log_softmax(scale * LOGITS, axis=1)
    assert fit_temperature(log_probabilities, LABELS) == pytest.approx(scale, rel=0.06)


def test_the_temperature_is_the_best_of_a_grid():
    def loss(temperature):
        predictions = special.log_softmax(3 * LOGITS / temperature, axis=1)
        return -predictions[np.arange(len(LABELS)), LABELS].mean()

    best = min(map(loss, np.geomspace(0.1, 10, 200)))
    temperature = fit_temperature(3 * LOGITS, LABELS)
    assert loss(temperature) == pytest.approx(best, abs=1e-4)


def test_the_temperature_stays_moderate_without_errors():
    logits = 5.0 * np.eye(3)
    assert 0.5 < fit_temperature(logits, np.arange(3)) < 1
    assert 1 < fit_temperature(logits, (np.arange(3) + 1) % 3) < 20


def test_weights_count_as_repeated_examples():
    labels = np.where(np.arange(4000) < 1000, RANDOM.integers(0, 5, 4000), LABELS)
    weights = np.where(np.arange(4000) < 1000, 3, 1)
    repeated = np.repeat(np.arange(4000), weights)
    expected = fit_temperature(LOGITS[repeated], labels[repeated])
    assert fit_temperature(LOGITS, labels, weights) == pytest.approx(expected, 1e-3)
