"""KID of generated images after an epoch, and the weights of the best epoch."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from kerasgan.training.kernel_inception_distance import kernel_inception_distance


class ImageKid(keras.callbacks.Callback):
    """Adds the KID of generated images to the logs, and keeps the best weights.

    The losses of a GAN do not say which epoch is best, and the last may not be. The
    model needs `generate(captions=..., noise=...)` and `latent_dim`, as `GAN` has. KID
    is computed from features divided by the root mean square of the real ones. A
    value of few images is noisy, but the same images and noise are used in all epochs.

    Args:
        compute_features: uint8 images `(n, size, size, channels)` to floats `(n, d)`.
        real_images: uint8 `(n, size, size, channels)`, n at least 8, not trained on.
        weights: the variables whose values in the best epoch are kept.
        captions: one for each real image; None for a model without captions.
        every: epochs between two evaluations.
        seed: of the noise.

    Attributes:
        variables: the best KID and the kept values, for `EpochCheckpoint`.
    """

    def __init__(
        self,
        compute_features: Callable[[np.ndarray], np.ndarray],
        real_images: np.ndarray,
        weights: Sequence[keras.Variable],
        captions: Sequence[str] | None = None,
        every: int = 1,
        seed: int = 0,
    ):
        super().__init__()
        self.compute_features = compute_features
        self.real_images, self.captions = real_images, captions
        self.every, self.seed = every, seed
        self.weights = list(weights)
        self.best = keras.Variable(np.inf, dtype="float32", name="best_kid")
        self.best_weights = [
            keras.Variable(weight, dtype=weight.dtype, name=f"best_{weight.name}")
            for weight in self.weights
        ]
        self.variables = [self.best, *self.best_weights]

    def on_train_begin(self, logs=None):
        """Draws the noise, and computes the features of the real images."""
        shape = (len(self.real_images), self.model.latent_dim)
        random = np.random.default_rng(self.seed)
        self.noise = random.standard_normal(shape, dtype="float32")
        self.real = self.compute_features(self.real_images)
        self.scale = np.sqrt(np.mean(np.square(self.real))) + 1e-9

    def on_epoch_end(self, epoch, logs=None):
        """Computes KID where it is due, and keeps the weights where it is the best."""
        if (epoch + 1) % self.every:
            return
        generated = self.model.generate(self.captions, noise=self.noise)
        features = self.compute_features(generated)
        kid, _ = kernel_inception_distance(
            self.real / self.scale, features / self.scale
        )
        if logs is not None:
            logs["kid"] = kid
        if kid < float(self.best.numpy()):
            self.best.assign(kid)
            _copy(self.weights, self.best_weights)

    def restore_best(self) -> None:
        """Gives the model the weights of the best epoch, if one was evaluated."""
        if np.isfinite(self.best.numpy()):
            _copy(self.best_weights, self.weights)


def _copy(sources, targets):
    for source, target in zip(sources, targets, strict=True):
        target.assign(source)
