"""The training images that are most similar to generated ones."""

from collections.abc import Sequence

import numpy as np

from kerasgan.data import load_data
from kerasgan.data.stored_arrays import StoredImages
from kerasgan.encoders.efficientnet_lite import find_weights
from kerasgan.encoders.pooled_features import pooled_features
from kerasgan.errors import UserError
from kerasgan.gan.pair_dataset import to_grayscale
from kerasgan.progress import progress_bar
from kerasgan.runs import Run, require_same_data

CHUNK_SIZE = 256  # images that are encoded and compared at once
MAX_TEST_IMAGES = 250  # images
SCALE = 2  # other features than a projected discriminator sees


class NearestImages:
    """Finds nearest images by features, to see whether a generator has memorized any.

    Distances are Euclidean, between unit vectors of pooled features of
    EfficientNet-Lite0: 0 for equal images, at most 2.

    Args:
        images: training images, uint8 `(n, size, size, channels)`.
        ids: their n ids.
        held_out: images that were not trained on, uint8
            `(m, size, size, channels)`, for comparison.
        progress: whether a progress bar is shown on standard error.

    Attributes:
        images: see above.
        ids: see above.
        distances: those that `find` returned so far, a list of arrays.

    Raises:
        UserError: the weights of EfficientNet-Lite0 are not installed.
    """

    def __init__(
        self,
        images: np.ndarray | StoredImages,
        ids: Sequence[str],
        held_out: np.ndarray | StoredImages,
        progress: bool = False,
    ):
        self.images, self.ids, self.held_out = images, ids, held_out
        self.distances: list[np.ndarray] = []
        features = []
        with progress_bar("Encoding training images", len(images), progress) as advance:
            for start in range(0, len(images), CHUNK_SIZE):
                features.append(_unit_features(images[start : start + CHUNK_SIZE]))
                advance(len(features[-1]))
        self.features = np.concatenate(features)

    def find(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Finds the nearest training image of each generated image.

        Args:
            images: uint8 `(k, size, size, channels)`.

        Returns:
            Rows of the training images, int64 `(k,)`, and distances, float32 `(k,)`.
        """
        rows, distances = self._find(images)
        self.distances.append(distances)
        return rows, distances

    def summary(self) -> str:
        """Compares all images that were found so far with held-out real images.

        Returns:
            A sentence with the median distances to the nearest training image.
        """
        median = np.median(np.concatenate(self.distances))
        text = f"Median distance to the nearest training image: {median:.3f}"
        if len(self.held_out):
            _, distances = self._find(self.held_out)
            text += f", of real held-out images: {np.median(distances):.3f}"
        return f"{text}."

    def _find(self, images):
        rows, distances = [], []
        for start in range(0, len(images), CHUNK_SIZE):
            features = _unit_features(images[start : start + CHUNK_SIZE])
            cosines = features @ self.features.T
            rows.append(cosines.argmax(axis=1))
            distances.append(np.sqrt(np.maximum(2 - 2 * cosines.max(axis=1), 0)))
        return np.concatenate(rows), np.concatenate(distances)


def load_nearest_images(
    run: Run, channels: int = 3, progress: bool = False
) -> NearestImages:
    """Reads and encodes the training images of a run.

    Args:
        run: a run of `train-gan`.
        channels: of the generated images; 1 converts the training images.
        progress: whether progress bars are shown on standard error.

    Returns:
        A `NearestImages`; at most 250 test images are its held-out images.

    Raises:
        UserError: the weights of EfficientNet-Lite0 are not installed, or the training
            images cannot be read any more, or are others.
    """
    find_weights()  # before the images, which take longer
    try:
        data = load_data(run.settings.data, progress)
    except UserError as error:
        raise UserError(f"Cannot read the training images of the run: {error}") from (
            error
        )
    require_same_data(run, data.info)
    images, held_out = data.train.images, data.test.images
    random = np.random.default_rng(0)
    held_out = held_out[random.permutation(len(held_out))[:MAX_TEST_IMAGES]]
    if channels == 1:
        images, held_out = to_grayscale(images), to_grayscale(held_out)
    return NearestImages(images, data.train.ids, held_out, progress)


def _unit_features(images):
    features = pooled_features(images, scale=SCALE)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
