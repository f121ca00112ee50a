"""Metrics of sets of images, compared with loops over the papers' formulas."""

import numpy as np
import pytest

from kerasgan.evaluation import image_metrics

RANDOM = np.random.default_rng(0)
REAL = RANDOM.normal(size=(40, 6)).astype(np.float32)
GENERATED = (RANDOM.normal(size=(30, 6)) * 0.7 + 0.3).astype(np.float32)
IMAGES = RANDOM.integers(0, 256, (9, 4, 4, 3), dtype=np.uint8)


def distance(x, y):
    return float(np.linalg.norm(np.float64(x) - np.float64(y)))


def radius(features, row, k):
    others = [distance(features[row], other) for other in np.delete(features, row, 0)]
    return sorted(others)[k - 1]


def discrepancy(left, right):
    def kernel(x, y):
        return (np.dot(np.float64(x), np.float64(y)) / len(x) + 1) ** 3

    def within(rows):
        pairs = [
            kernel(rows[i], rows[j])
            for i in range(len(rows))
            for j in range(len(rows))
            if i != j
        ]
        return np.mean(pairs)

    across = np.mean([kernel(x, y) for x in left for y in right])
    return within(left) + within(right) - 2 * across


def test_kid_is_the_unbiased_discrepancy_of_each_subset():
    random = np.random.default_rng(7)
    naive = []
    for _ in range(3):
        left = REAL[random.choice(40, 10, replace=False)]
        naive.append(discrepancy(left, GENERATED[random.choice(30, 10, replace=False)]))
    mean, deviation = image_metrics.kernel_inception_distance(
        REAL, GENERATED, 10, 3, seed=7
    )
    assert mean == pytest.approx(np.mean(naive), rel=1e-5)
    assert deviation == pytest.approx(np.std(naive), rel=1e-5)


def test_kid_is_about_zero_for_equal_distributions_only():
    halves = RANDOM.normal(size=(2, 400, 6))
    same, deviation = image_metrics.kernel_inception_distance(*halves)
    other, _ = image_metrics.kernel_inception_distance(halves[0], halves[1] + 1)
    assert abs(same) < 3 * deviation < other


def test_precision_and_recall_against_loops():
    def inside(point, features):
        return any(
            distance(point, features[row]) <= radius(features, row, 3)
            for row in range(len(features))
        )

    scores = image_metrics.precision_recall(REAL, GENERATED)
    precision = np.mean([inside(point, REAL) for point in GENERATED])
    recall = np.mean([inside(point, GENERATED) for point in REAL])
    assert scores == pytest.approx({"precision": precision, "recall": recall})
    assert 0 < recall < precision <= 1


def test_density_and_coverage_against_loops():
    inside = [
        [distance(point, REAL[row]) <= radius(REAL, row, 5) for point in GENERATED]
        for row in range(len(REAL))
    ]
    scores = image_metrics.density_coverage(REAL, GENERATED)
    density = np.sum(inside) / (5 * len(GENERATED))
    coverage = np.mean([any(row) for row in inside])
    assert scores == pytest.approx({"density": density, "coverage": coverage})


def test_a_collapsed_generator_has_low_recall_coverage_and_diversity():
    collapsed = np.repeat(REAL[:1], 30, axis=0) + RANDOM.normal(size=(30, 6)) * 1e-3
    assert image_metrics.precision_recall(REAL, collapsed)["precision"] == 1
    assert image_metrics.precision_recall(REAL, collapsed)["recall"] < 0.1
    assert image_metrics.density_coverage(REAL, collapsed)["coverage"] < 0.5
    assert image_metrics.diversity_ratio(REAL, collapsed) < 0.01
    assert image_metrics.diversity_ratio(REAL, 2 * REAL) == pytest.approx(2)


def test_image_diversity_is_the_root_mean_square_difference_of_pixels():
    pixels = IMAGES / 255
    naive = [
        np.sqrt(np.mean((pixels[i] - pixels[j]) ** 2))
        for i in range(9)
        for j in range(9)
        if i != j
    ]
    assert image_metrics.image_diversity(IMAGES) == pytest.approx(
        np.mean(naive), rel=1e-6
    )
    black, white = np.zeros((1, 8, 8, 3)), np.full((1, 8, 8, 3), 255)
    extremes = np.concatenate([black, white]).astype(np.uint8)
    assert image_metrics.image_diversity(extremes) == pytest.approx(1)


def test_diversity_within_groups_leaves_out_single_images():
    groups = ["a", "b", "a", "a", "c", "b", "d", "d", "d"]
    naive = [
        image_metrics.image_diversity(IMAGES[rows])
        for rows in ([0, 2, 3], [1, 5], [6, 7, 8])
    ]
    assert image_metrics.within_caption_diversity(IMAGES, groups) == pytest.approx(
        np.mean(naive)
    )
    with pytest.raises(ValueError, match="Received: 9 groups"):
        image_metrics.within_caption_diversity(IMAGES, np.arange(9))


def test_nearest_training_image_is_found_in_every_chunk(monkeypatch):
    monkeypatch.setattr(image_metrics, "CHUNK_SIZE", 4)
    noisy = IMAGES ^ 1
    rows, distances = image_metrics.nearest_images(noisy[::-1], IMAGES)
    assert rows.tolist() == list(range(9))[::-1]
    np.testing.assert_allclose(distances, 1 / 255, rtol=1e-4)
