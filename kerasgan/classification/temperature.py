"""Temperature scaling, which calibrates the probabilities of a network."""

import numpy as np
from scipy import optimize, special

MAX_LOG_TEMPERATURE = 3.0


def fit_temperature(
    log_probabilities: np.ndarray,
    labels: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> float:
    """Fits the temperature by which the logits of a network are divided.

    It minimizes the log-loss of examples that the network was not trained on, and does
    not change which class is the most probable (Guo et al. 2017, "On Calibration of
    Modern Neural Networks", https://arxiv.org/abs/1706.04599). A standard normal prior
    of its logarithm keeps it moderate if there are few examples, or all of them are
    classified correctly.

    Args:
        log_probabilities: `(n, classes)`; logits give the same result.
        labels: int `(n,)`.
        sample_weight: weights `(n,)`; None: all examples count the same.

    Returns:
        The temperature; above 1 if the network is overconfident.
    """
    rows = np.arange(len(labels))

    def loss(log_temperature):
        predictions = special.log_softmax(
            log_probabilities * np.exp(-log_temperature), axis=1
        )
        mean = np.average(predictions[rows, labels], weights=sample_weight)
        return 0.5 * log_temperature**2 - len(rows) * mean

    bounds = -MAX_LOG_TEMPERATURE, MAX_LOG_TEMPERATURE
    return float(np.exp(optimize.minimize_scalar(loss, bounds=bounds).x))
