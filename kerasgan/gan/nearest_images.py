"""The training images that are most similar to generated ones."""

import numpy as np

from kerasgan.encoders.pooled_features import pooled_features
from kerasgan.progress import progress_bar

CHUNK_SIZE = 256  # training images that are encoded at once


class NearestImages:
    """Finds nearest images by features, to see whether a generator has memorized any.

    Distances are Euclidean, between unit vectors of pooled features of
    EfficientNet-Lite0: 0 for equal images, at most 2.

    Args:
        images: uint8 `(n, size, size, channels)`.
        progress: whether a progress bar is shown on standard error.

    Raises:
        UserError: the weights of EfficientNet-Lite0 are not installed.
    """

    def __init__(self, images: np.ndarray, progress: bool = False):
        self.images = images
        features = []
        with progress_bar("Encoding training images", len(images), progress) as advance:
            for start in range(0, len(images), CHUNK_SIZE):
                features.append(_unit_features(images[start : start + CHUNK_SIZE]))
                advance(len(features[-1]))
        self.features = np.concatenate(features)

    def find(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Finds the nearest image of each.

        Args:
            images: uint8 `(m, size, size, channels)`.

        Returns:
            Rows of `images` of the constructor, int `(m,)`, and distances `(m,)`.
        """
        cosines = _unit_features(images) @ self.features.T
        rows = cosines.argmax(axis=1)
        best = cosines[np.arange(len(rows)), rows]
        return rows, np.sqrt(np.maximum(2 - 2 * best, 0))


def _unit_features(images):
    features = pooled_features(images)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
