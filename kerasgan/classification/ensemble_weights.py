"""The weights of the members of an ensemble."""

import numpy as np
from scipy import optimize

from kerasgan.classification.scores import log_loss

REGULARIZATION = 1e-3  # towards zero, so that a member that never helps gets no weight
MAX_WEIGHT = 10.0


def fit_ensemble_weights(
    scores: np.ndarray,
    labels: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> np.ndarray:
    """Fits the weights of a log-linear ensemble, p ∝ Π pₖ^wₖ.

    The weights are non-negative and minimize the log-loss, with an L1 penalty.

    Args:
        scores: `(n, members, classes)`, log-probabilities of examples that the members
            were not trained on; log-odds if they have several labels.
        labels: int `(n,)`, or `(n, classes)` of zeros and ones.
        sample_weight: weights of the examples in the log-loss, `(n,)`; None: all count
            the same.

    Returns:
        float64 `(members,)`; all 1 if there are no examples.
    """
    num_examples, num_members, _ = scores.shape
    if not num_examples:
        return np.ones(num_members)
    if sample_weight is None:
        sample_weight = np.ones(num_examples)
    shares = sample_weight / sample_weight.sum()

    def loss_and_gradient(weights):
        losses, residuals = log_loss(np.einsum("nmc,m->nc", scores, weights), labels)
        gradient = np.einsum("nc,nmc->m", residuals * shares[:, None], scores)
        loss = shares @ losses + REGULARIZATION * weights.sum()
        return loss, gradient + REGULARIZATION

    result = optimize.minimize(
        loss_and_gradient,
        np.full(num_members, 1 / num_members),
        jac=True,
        bounds=[(0, MAX_WEIGHT)] * num_members,
    )
    return result.x
