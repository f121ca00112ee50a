import numpy as np
import pytest

from kerasgan.gan import nearest_images
from kerasgan.gan.nearest_images import NearestImages

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3)).astype("uint8")


def test_nearest_against_naive_search(monkeypatch):
    def features(images):
        return images[:, ::2, ::2].reshape(len(images), -1).astype("float32")

    monkeypatch.setattr(nearest_images, "pooled_features", features)
    monkeypatch.setattr(nearest_images, "CHUNK_SIZE", 3)
    generated = IMAGES[[4, 1]] // 2  # the same directions
    generated[1, :4] = 255
    rows, distances = NearestImages(IMAGES).find(generated)
    unit = [x / np.linalg.norm(x) for x in features(IMAGES)]
    for image, row, distance in zip(features(generated), rows, distances, strict=True):
        naive = [np.linalg.norm(image / np.linalg.norm(image) - x) for x in unit]
        assert row == np.argmin(naive)
        assert distance == pytest.approx(min(naive), abs=1e-3)
    assert rows[0] == 4 and distances[0] < 0.05
