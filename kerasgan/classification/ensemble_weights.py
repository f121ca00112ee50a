"""How much each part of a classifier is believed."""

import numpy as np
from scipy import optimize, special

REGULARIZATION = 1e-3  # towards nothing, so that a part that never helps gets no weight


def fit_ensemble_weights(log_probabilities, labels):
    """Non-negative weights of the log-linear pool p ∝ Π pₖ^wₖ by log-loss.

    Args:
        log_probabilities: `(n, parts, classes)`, of pairs that the parts were not
            fitted on.
        labels: `(n,)`.

    Returns:
        `(parts,)` float64; all 1 where there is nothing to fit them on.
    """
    count, parts, _ = log_probabilities.shape
    if not count:
        return np.ones(parts)
    rows = np.arange(count)

    def loss(weights):
        logits = np.einsum("npc,p->nc", log_probabilities, weights)
        found = special.log_softmax(logits, axis=1)
        slope = np.exp(found)
        slope[rows, labels] -= 1
        slope = np.einsum("nc,npc->p", slope, log_probabilities) / count
        worth = -found[rows, labels].mean() + REGULARIZATION * weights.sum()
        return worth, slope + REGULARIZATION

    found = optimize.minimize(
        loss, np.full(parts, 1 / parts), jac=True, bounds=[(0, 10)] * parts
    )
    return found.x
