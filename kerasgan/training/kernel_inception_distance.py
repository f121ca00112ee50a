"""KID, a distance between two sets of images."""

import numpy as np


def kernel_inception_distance(
    real: np.ndarray,
    generated: np.ndarray,
    subset_size: int = 1000,
    num_subsets: int = 50,
    seed: int = 0,
) -> tuple[float, float]:
    """Computes KID, the squared maximum mean discrepancy with a polynomial kernel.

    The kernel is (x·y / d + 1)³. The estimate is unbiased and can be negative
    (Bińkowski et al. 2018, https://arxiv.org/abs/1801.01401). The paper uses features
    of Inception; values of different features cannot be compared.

    Args:
        real: features `(n, d)`, n at least 4.
        generated: features `(m, d)`, m at least 4.
        subset_size: rows drawn from each set; at most half of the smaller set.
        num_subsets: number of draws.
        seed: seed of the draws.

    Returns:
        Mean and standard deviation over the subsets.
    """
    size = min(subset_size, len(real) // 2, len(generated) // 2)
    random = np.random.default_rng(seed)
    distances = [
        _squared_discrepancy(
            real[random.choice(len(real), size, replace=False)],
            generated[random.choice(len(generated), size, replace=False)],
        )
        for _ in range(num_subsets)
    ]
    return float(np.mean(distances)), float(np.std(distances))


def _squared_discrepancy(left, right):
    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    left, right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    within = sum(
        (matrix.sum() - np.trace(matrix)) / (len(matrix) * (len(matrix) - 1))
        for matrix in (kernel(left, left), kernel(right, right))
    )
    return within - 2 * kernel(left, right).mean()
