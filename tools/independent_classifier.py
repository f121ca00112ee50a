"""A classifier that is trained on real images only, to evaluate generated ones."""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np

from kerasgan.data import Pairs

MIN_IMAGES = 100  # of a class that is evaluated, in both splits together


class Classifier:
    """Predicts the labels of images, and computes their features.

    Args:
        model: a model from uint8 images `(n, size, size, 3)` to a dict with `features`
            and `logits`.
        classes: the labels `(classes,)`, in the order of the logits.
        accuracy: accuracy on held-out real images of these classes.
    """

    def __init__(
        self,
        model: keras.Model,
        classes: np.ndarray | list[int],
        accuracy: float | None = None,
    ):
        self.model, self.classes, self.accuracy = model, np.asarray(classes), accuracy

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Returns the labels `(n,)` of uint8 images `(n, size, size, 3)`."""
        return self.classes[self._predict(images)["logits"].argmax(axis=1)]

    def features(self, images: np.ndarray) -> np.ndarray:
        """Returns the outputs `(n, 128)` of the layer before the logits."""
        return self._predict(images)["features"]

    def _predict(self, images):
        return self.model.predict(np.asarray(images), batch_size=128, verbose=0)


def frequent_classes(labels: np.ndarray, min_images: int = MIN_IMAGES) -> np.ndarray:
    """Returns the labels that occur often enough, sorted.

    Args:
        labels: `(n,)`.
        min_images: minimum number of occurrences.
    """
    names, counts = np.unique(labels, return_counts=True)
    return names[counts >= min_images]


def train_classifier(
    train_images: np.ndarray,
    train_labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    epochs: int = 10,
    seed: int = 0,
) -> Classifier:
    """Trains a plain convolutional network.

    Args:
        train_images: uint8 `(n, size, size, 3)`.
        train_labels: `(n,)`; rare classes are left out, see `frequent_classes`.
        test_images: uint8, only for the accuracy.
        test_labels: labels of the test images.
        epochs: number of epochs.
        seed: seed of all random numbers.

    Returns:
        A `Classifier`.
    """
    keras.utils.set_random_seed(seed)
    classes = frequent_classes(np.concatenate([train_labels, test_labels]))
    is_frequent = np.isin(train_labels, classes)
    train_images = train_images[is_frequent]
    targets = np.searchsorted(classes, train_labels[is_frequent])
    model = _build_network(train_images.shape[1:], len(classes))
    steps = epochs * -(-len(train_images) // 64)
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, steps, warmup_target=2e-3, warmup_steps=steps // 10
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # By default Keras compiles with XLA, which makes convolutions slower on CPUs.
    model.compile(
        keras.optimizers.AdamW(schedule), loss={"logits": loss}, jit_compile=False
    )
    targets = {"logits": targets}
    model.fit(train_images, targets, batch_size=64, epochs=epochs, verbose=0)
    classifier = Classifier(model, classes)
    is_frequent = np.isin(test_labels, classes)
    predictions = classifier.predict(test_images[is_frequent])
    classifier.accuracy = float((predictions == test_labels[is_frequent]).mean())
    return classifier


def _build_network(shape, num_classes):
    images = keras.Input(shape)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    x = keras.layers.RandomFlip("horizontal")(x)
    x = keras.layers.GaussianNoise(0.05)(x)
    for filters in (32, 64, 128, 128):
        convolution = keras.layers.Conv2D(
            filters,
            4,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
        )
        x = convolution(x)
    x = keras.layers.Dropout(0.3)(keras.layers.Flatten()(x))
    features = keras.layers.Dense(128, activation="relu", name="features")(x)
    logits = keras.layers.Dense(num_classes, name="logits")(
        keras.layers.Dropout(0.3)(features)
    )
    return keras.Model(images, {"features": features, "logits": logits})


def cached_classifier(pairs: Pairs, directory: str | Path) -> Classifier:
    """Trains the classifier of a data set, or loads it if it was trained before.

    Args:
        pairs: the result of `load_data`, with labels.
        directory: where classifiers are saved.

    Returns:
        A `Classifier`.
    """
    arrays = (pairs.train.images, pairs.train.labels)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(a) for a in arrays))
    path = Path(directory) / f"classifier-{digest.hexdigest()[:16]}.keras"
    info_path = path.with_suffix(".json")
    if info_path.exists():
        info = json.loads(info_path.read_text())
        return Classifier(keras.models.load_model(path), **info)
    classifier = train_classifier(*arrays, pairs.test.images, pairs.test.labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    classifier.model.save(path)
    info = {"classes": classifier.classes.tolist(), "accuracy": classifier.accuracy}
    info_path.write_text(json.dumps(info))
    return classifier


def load_classifier(pairs: Pairs, directory: Path) -> Classifier | None:
    """Loads or trains the classifier of a data set.

    Args:
        pairs: the data set.
        directory: where independent classifiers are cached.

    Returns:
        A `Classifier`, or None if too few images have labels.
    """
    if not pairs.label_names:
        return None
    labels = np.concatenate([pairs.train.labels, pairs.test.labels])
    if len(frequent_classes(labels)) < 2:
        return None
    return cached_classifier(pairs, directory)
