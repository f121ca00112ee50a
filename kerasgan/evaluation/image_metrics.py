"""How good generated images are as a whole: distances between sets of images.

Features are float arrays `(n, d)`, one row an image, from one extractor for all
sets. Images are uint8 arrays `(n, height, width, channels)`. No function knows
which extractor made the features: say so, and say n, wherever a figure is printed.
"""

import numpy as np

CHUNK = 512  # images compared at a time


def squared_distances(left, right):
    """Squared Euclidean distances of the rows: `(n, d)`, `(m, d)` to `(n, m)`."""
    left, right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    return np.maximum(squares - 2 * left @ right.T, 0)


def kernel_inception_distance(real, generated, subset_size=1000, subsets=50, seed=0):
    """KID: the squared maximum mean discrepancy under the kernel (x·y / d + 1)³.

    Unbiased, so that it may fall below 0 (Bińkowski et al. 2018,
    https://arxiv.org/abs/1801.01401). Their features are Inception's; ours are
    whatever is handed in, and figures of different features don't compare.

    Args:
        real, generated: features `(n, d)` and `(m, d)`, at least 4 rows each.
        subset_size: rows drawn from each; at most half of the smaller set.
        subsets: how often they are drawn.
        seed: of the drawing.

    Returns:
        Mean and standard deviation over the subsets.
    """
    size = min(subset_size, len(real) // 2, len(generated) // 2)
    random = np.random.default_rng(seed)
    draws = [
        _squared_discrepancy(
            real[random.choice(len(real), size, replace=False)],
            generated[random.choice(len(generated), size, replace=False)],
        )
        for _ in range(subsets)
    ]
    return float(np.mean(draws)), float(np.std(draws))


def _squared_discrepancy(left, right):
    def kernel(one, other):
        return (one @ other.T / one.shape[1] + 1) ** 3

    left, right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    within = sum(
        (matrix.sum() - np.trace(matrix)) / (len(matrix) * (len(matrix) - 1))
        for matrix in (kernel(left, left), kernel(right, right))
    )
    return within - 2 * kernel(left, right).mean()


def precision_recall(real, generated, k=3):
    """Share of generated images that could be real, and the other way round.

    An image counts where it lies in some image's ball of the other set; a ball
    reaches to the k-th nearest neighbour in its own set (Kynkäänniemi et al. 2019,
    https://arxiv.org/abs/1904.06991, who take k = 3).

    Args:
        real, generated: features `(n, d)` and `(m, d)`, more than k rows each.

    Returns:
        `{"precision", "recall"}`, each in [0, 1].
    """
    distances = squared_distances(real, generated)
    in_real = distances <= _squared_radii(real, k)[:, None]
    in_generated = distances <= _squared_radii(generated, k)
    return {
        "precision": float(in_real.any(axis=0).mean()),
        "recall": float(in_generated.any(axis=1).mean()),
    }


def density_coverage(real, generated, k=5):
    """How densely generated images lie among real ones, and how many real ones
    they reach.

    Unlike precision and recall, neither is fooled by one outlier's large ball
    (Naeem et al. 2020, https://arxiv.org/abs/2002.09797, who take k = 5).

    Args:
        real, generated: features `(n, d)` and `(m, d)`, more than k rows each.

    Returns:
        `{"density", "coverage"}`; density is at least 0 and about 1 where both sets
        are alike, coverage in [0, 1].
    """
    inside = squared_distances(real, generated) <= _squared_radii(real, k)[:, None]
    return {
        "density": float(inside.sum(axis=0).mean() / k),
        "coverage": float(inside.any(axis=1).mean()),
    }


def _squared_radii(features, k):
    """Squared distance of each row to its k-th nearest other row: `(n,)`."""
    distances = squared_distances(features, features)
    np.fill_diagonal(distances, np.inf)
    return np.partition(distances, k - 1, axis=1)[:, k - 1]


def mean_pairwise_distance(vectors):
    """Mean Euclidean distance of two different rows of `(n, d)`; n at least 2."""
    distances = np.sqrt(squared_distances(vectors, vectors))
    np.fill_diagonal(distances, 0)  # rounding leaves a trace of it
    return float(distances.sum() / (len(vectors) * (len(vectors) - 1)))


def diversity_ratio(real, generated):
    """Mean pairwise distance of generated features over that of real ones.

    About 1 where generated images vary as much, near 0 where G collapsed.
    """
    return mean_pairwise_distance(generated) / mean_pairwise_distance(real)


def flatten_images(images):
    """uint8 images `(n, …)` to float32 rows `(n, d)` whose Euclidean distance is
    the root of the mean squared difference of pixels in [0, 1]."""
    rows = np.asarray(images).reshape(len(images), -1).astype(np.float32)
    return rows / np.float32(255 * np.sqrt(rows.shape[1]))


def image_diversity(images):
    """Mean pairwise distance of uint8 images, in [0, 1]: see `flatten_images`."""
    return mean_pairwise_distance(flatten_images(images))


def within_caption_diversity(images, groups):
    """How much images of one caption, or of one class, differ from each other.

    Args:
        images: uint8 `(n, …)`.
        groups: `(n,)`, equal where the images belong together.

    Returns:
        The mean over groups of `image_diversity`; groups of one image are left out.
    """
    groups = np.asarray(groups)
    names, counts = np.unique(groups, return_counts=True)
    spreads = [image_diversity(images[groups == name]) for name in names[counts > 1]]
    if not spreads:
        raise ValueError(f"No group has two images. Received: {len(names)} groups.")
    return float(np.mean(spreads))


def nearest_images(generated, training):
    """For each generated image the training image that is most like it.

    Args:
        generated, training: uint8 images `(n, …)` and `(m, …)` of one size.

    Returns:
        Rows of `training` `(n,)` int, and their distances `(n,)` in [0, 1].
    """
    vectors = flatten_images(generated)
    nearest = np.zeros(len(vectors), np.int64)
    least = np.full(len(vectors), np.inf)
    for start in range(0, len(training), CHUNK):
        chunk = flatten_images(training[start : start + CHUNK])
        distances = squared_distances(vectors, chunk)
        closest = distances.argmin(axis=1)
        distance = distances[np.arange(len(vectors)), closest]
        nearer = distance < least
        nearest[nearer], least[nearer] = start + closest[nearer], distance[nearer]
    return nearest, np.sqrt(least)
