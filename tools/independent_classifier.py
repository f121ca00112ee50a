"""A classifier trained on real images alone, to discriminator generated ones by."""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np

AT_LEAST = 100  # images of a class that is judged, both splits together


class Classifier:
    """Says which class an image shows, and what its features are.

    Args:
        model: uint8 images to `{"features", "logits"}`.
        classes: `(c,)` the labels that it knows, in the order of its logits.
        accuracy: share of right answers on real held-out images of these classes.
    """

    def __init__(self, model, classes, accuracy=None):
        self.model, self.classes, self.accuracy = model, np.asarray(classes), accuracy

    def predict(self, images):
        """uint8 images `(n, s, s, 3)` to labels `(n,)`."""
        return self.classes[self._run(images)["logits"].argmax(axis=1)]

    def features(self, images):
        """The layer before the last: `(n, 128)`."""
        return self._run(images)["features"]

    def _run(self, images):
        return self.model.predict(np.asarray(images), batch_size=128, verbose=0)


def frequent_classes(labels, at_least=AT_LEAST):
    """Labels that at least so many images have."""
    names, counts = np.unique(labels, return_counts=True)
    return names[counts >= at_least]


def train_classifier(train, train_labels, test, test_labels, epochs=10, seed=0):
    """A plain convolutional network trained on real images alone.

    Args:
        train, test: uint8 images `(n, s, s, 3)`; `test` only gives the accuracy.
        train_labels, test_labels: `(n,)`; classes with few images are left out.
    """
    keras.utils.set_random_seed(seed)
    classes = frequent_classes(np.concatenate([train_labels, test_labels]))
    chosen = np.isin(train_labels, classes)
    train, targets = train[chosen], np.searchsorted(classes, train_labels[chosen])
    model = _classifier_network(train.shape[1:], len(classes))
    steps = epochs * -(-len(train) // 64)
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, steps, warmup_target=2e-3, warmup_steps=steps // 10
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # Keras compiles with XLA by itself, which makes convolutions slower on processors.
    model.compile(
        keras.optimizers.AdamW(schedule), loss={"logits": loss}, jit_compile=False
    )
    model.fit(train, {"logits": targets}, batch_size=64, epochs=epochs, verbose=0)
    classifier = Classifier(model, classes)
    chosen = np.isin(test_labels, classes)
    right = classifier.predict(test[chosen]) == test_labels[chosen]
    classifier.accuracy = float(right.mean())
    return classifier


def _classifier_network(shape, classes):
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
    logits = keras.layers.Dense(classes, name="logits")(
        keras.layers.Dropout(0.3)(features)
    )
    return keras.Model(images, {"features": features, "logits": logits})


def cached_classifier(pairs, directory):
    """The classifier of a data set's training split, trained when first asked for."""
    arrays = (pairs.train.images, pairs.train.labels)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(a) for a in arrays))
    path = Path(directory) / f"classifier-{digest.hexdigest()[:16]}.keras"
    facts = path.with_suffix(".json")
    if facts.exists():
        known = json.loads(facts.read_text())
        return Classifier(keras.models.load_model(path), **known)
    classifier = train_classifier(*arrays, pairs.test.images, pairs.test.labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    classifier.model.save(path)
    known = {"classes": classifier.classes.tolist(), "accuracy": classifier.accuracy}
    facts.write_text(json.dumps(known))
    return classifier
