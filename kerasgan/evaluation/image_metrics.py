"""Metrics of generated images: distances between sets of images.

Features are float arrays `(n, d)`, one row for each image, of the same extractor in all
sets. Images are uint8 arrays `(n, height, width, channels)`. The values depend on the
extractor and on n: report both with them.
"""

from collections.abc import Sequence

import numpy as np

from kerasgan.training.kernel_inception_distance import (
    kernel_inception_distance as kernel_inception_distance,
)

CHUNK_SIZE = 512  # images that are compared at once


def squared_distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Computes the squared Euclidean distances of rows.

    Args:
        left: float `(n, d)`.
        right: float `(m, d)`.

    Returns:
        float64 `(n, m)`.
    """
    left, right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    return np.maximum(squares - 2 * left @ right.T, 0)


def precision_recall(
    real: np.ndarray, generated: np.ndarray, k: int = 3
) -> dict[str, float]:
    """Computes precision and recall of generated images.

    Precision is the share of generated images inside the ball of a real image; recall
    is the share of real images inside the ball of a generated one. The radius of a ball
    is the distance to the k-th nearest neighbor in the same set (Kynkäänniemi et al.
    2019, https://arxiv.org/abs/1904.06991, with k = 3).

    Args:
        real: features `(n, d)`, n > k.
        generated: features `(m, d)`, m > k.
        k: see above.

    Returns:
        `precision` and `recall`, each in [0, 1].
    """
    distances = squared_distances(real, generated)
    in_real = distances <= _squared_radii(real, k)[:, None]
    in_generated = distances <= _squared_radii(generated, k)
    return {
        "precision": float(in_real.any(axis=0).mean()),
        "recall": float(in_generated.any(axis=1).mean()),
    }


def density_coverage(
    real: np.ndarray, generated: np.ndarray, k: int = 5
) -> dict[str, float]:
    """Computes density and coverage of generated images.

    Unlike precision and recall, they are robust to the large ball of a single outlier
    (Naeem et al. 2020, https://arxiv.org/abs/2002.09797, with k = 5).

    Args:
        real: features `(n, d)`, n > k.
        generated: features `(m, d)`.
        k: the radius of a ball is the distance to the k-th nearest neighbor.

    Returns:
        `density`, the mean number of real images' balls that contain a generated image,
        divided by k: at least 0, and about 1 for equal distributions; and `coverage`,
        the share of real images whose ball contains a generated image, in [0, 1].
    """
    inside = squared_distances(real, generated) <= _squared_radii(real, k)[:, None]
    return {
        "density": float(inside.sum(axis=0).mean() / k),
        "coverage": float(inside.any(axis=1).mean()),
    }


def _squared_radii(features, k):
    """Returns the squared distance of each row to its k-th nearest other row."""
    distances = squared_distances(features, features)
    np.fill_diagonal(distances, np.inf)
    return np.partition(distances, k - 1, axis=1)[:, k - 1]


def mean_pairwise_distance(vectors: np.ndarray) -> float:
    """Computes the mean Euclidean distance of two different rows.

    Args:
        vectors: float `(n, d)`, n at least 2.

    Returns:
        A float, at least 0.
    """
    distances = np.sqrt(squared_distances(vectors, vectors))
    np.fill_diagonal(distances, 0)  # not exactly 0 after rounding
    return float(distances.sum() / (len(vectors) * (len(vectors) - 1)))


def diversity_ratio(real: np.ndarray, generated: np.ndarray) -> float:
    """Divides the mean pairwise distance of generated features by that of real ones.

    Args:
        real: features `(n, d)`, n at least 2.
        generated: features `(m, d)`, m at least 2.

    Returns:
        About 1 if generated images vary as much as real ones, near 0 if the generator
        collapsed.
    """
    return mean_pairwise_distance(generated) / mean_pairwise_distance(real)


def compare_features(
    real: np.ndarray, generated: np.ndarray, seed: int = 0
) -> dict[str, float]:
    """Computes all metrics of generated images by their features.

    Args:
        real: features of the reference images, `(n, d)`, n at least 6.
        generated: features of the generated images, `(m, d)`, m at least 6.
        seed: seed of the subsets for KID.

    Returns:
        `kid`, `kid_deviation`, `precision`, `recall`, `density`, `coverage` and
        `diversity`.
    """
    kid, deviation = kernel_inception_distance(real, generated, seed=seed)
    return {
        "kid": kid,
        "kid_deviation": deviation,
        **precision_recall(real, generated),
        **density_coverage(real, generated),
        "diversity": diversity_ratio(real, generated),
    }


def flatten_images(images: np.ndarray) -> np.ndarray:
    """Flattens and scales images for `squared_distances`.

    Args:
        images: uint8 `(n, ...)`.

    Returns:
        float32 `(n, d)`, whose Euclidean distance is the root mean square difference of
        pixels in [0, 1].
    """
    rows = np.asarray(images).reshape(len(images), -1).astype(np.float32)
    return rows / np.float32(255 * np.sqrt(rows.shape[1]))


def image_diversity(images: np.ndarray) -> float:
    """Computes the mean pairwise distance of images.

    Args:
        images: uint8 `(n, ...)`, n at least 2.

    Returns:
        A float in [0, 1], see `flatten_images`.
    """
    return mean_pairwise_distance(flatten_images(images))


def within_caption_diversity(
    images: np.ndarray, groups: np.ndarray | Sequence
) -> float:
    """Computes the diversity of images of the same caption or class.

    Args:
        images: uint8 `(n, ...)`.
        groups: `(n,)`, the caption or class of each image.

    Returns:
        The mean `image_diversity` of the groups that have at least two images.

    Raises:
        ValueError: no group has two images.
    """
    groups = np.asarray(groups)
    names, counts = np.unique(groups, return_counts=True)
    diversities = [
        image_diversity(images[groups == name]) for name in names[counts > 1]
    ]
    if not diversities:
        raise ValueError(f"No group has two images. Received: {len(names)} groups.")
    return float(np.mean(diversities))


def nearest_images(
    generated: np.ndarray, training: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the training image nearest to each generated image.

    Args:
        generated: uint8 `(n, ...)`.
        training: uint8 `(m, ...)`, of the same size.

    Returns:
        Rows of `training`, int64 `(n,)`, and their distances `(n,)` in [0, 1], see
        `flatten_images`.
    """
    vectors = flatten_images(generated)
    nearest_rows = np.zeros(len(vectors), np.int64)
    minimum = np.full(len(vectors), np.inf)
    for start in range(0, len(training), CHUNK_SIZE):
        chunk = flatten_images(training[start : start + CHUNK_SIZE])
        distances = squared_distances(vectors, chunk)
        rows = distances.argmin(axis=1)
        chunk_minimum = distances[np.arange(len(vectors)), rows]
        is_nearer = chunk_minimum < minimum
        nearest_rows[is_nearer] = start + rows[is_nearer]
        minimum[is_nearer] = chunk_minimum[is_nearer]
    return nearest_rows, np.sqrt(minimum)
