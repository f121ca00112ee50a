"""Measures the training speed of the classifier beside plain Keras.

    python tools/bench_classifier.py --rounds 5

Trains paper B's network for image and text at 64 px, in batches of 32, in float32 and
in mixed_bfloat16. The peer is what a Keras user would write: the same layers in a
functional model, `compile` and `fit` on arrays in memory, in float32. They train in
turn in one process. Prints images per second, and ratios as medians over the rounds.
"""

import time
from collections.abc import Callable

import click
import numpy as np

import kerasgan  # noqa: F401  (enables oneDNN before TensorFlow is imported)

IMAGE_SIZE, NUM_CLASSES, VOCABULARY_SIZE, LENGTH = 64, 26, 5000, 32
WORDS = 12  # of each text; the rest is padding


def random_pairs(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns random images, token ids `(count, 1, LENGTH)` and labels."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    token_ids = random.integers(3, VOCABULARY_SIZE, (count, 1, LENGTH)).astype("int32")
    token_ids[:, 0, WORDS:] = 0
    labels = random.integers(0, NUM_CLASSES, count)
    return images, token_ids, labels


def package_epoch(
    images: np.ndarray,
    token_ids: np.ndarray,
    labels: np.ndarray,
    precision: str = "float32",
) -> Callable[[], None]:
    """Returns a function that trains one epoch as `train-classifier` does."""
    from kerasgan.classification.examples import PairExamples
    from kerasgan.classification.network_trainer import NetworkTrainer
    from kerasgan.classification.networks import build_classifier, build_conv_branch
    from kerasgan.config.settings import ClassifierConfig
    from kerasgan.encoders.precision import dtype_policy_scope
    from kerasgan.encoders.text_branch import build_text_branch

    config = ClassifierConfig(minutes=None)
    with dtype_policy_scope(precision):
        network = build_classifier(
            NUM_CLASSES,
            build_conv_branch(IMAGE_SIZE),
            build_text_branch(VOCABULARY_SIZE, None),
        )
        trainer = NetworkTrainer(network, config)
    ids = [str(index) for index in range(len(labels))]
    texts = [["words"]] * len(labels)
    examples = PairExamples(ids, images, texts, labels, token_ids)
    rows = np.arange(len(labels))
    return lambda: trainer.fit(examples, rows, epochs=1)


def plain_keras_epoch(
    images: np.ndarray, token_ids: np.ndarray, labels: np.ndarray
) -> Callable[[], None]:
    """Returns a function that trains one epoch as Keras's tutorials do."""
    import keras

    image = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    for filters in (32, 64, 128):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Dense(128, activation="relu")(keras.layers.Flatten()(x))
    tokens = keras.Input((LENGTH,), dtype="int32")
    y = keras.layers.Embedding(VOCABULARY_SIZE, 128, mask_zero=True)(tokens)
    y = keras.layers.LSTM(128, return_sequences=True)(y)
    weights = keras.ops.softmax(keras.layers.Dense(1)(y), axis=1)
    y = keras.layers.Flatten()(keras.layers.Dot(axes=1)([weights, y]))
    features = keras.layers.Dropout(0.5)(keras.layers.Concatenate()([x, y]))
    logits = keras.layers.Dense(NUM_CLASSES)(features)
    model = keras.Model([image, tokens], logits)
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    inputs = [images, token_ids[:, 0]]

    def train_epoch():
        model.fit(inputs, labels, batch_size=32, epochs=1, verbose=0)

    return train_epoch


@click.command()
@click.option("--images", "count", default=1600, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(count: int, rounds: int) -> None:
    """Prints images per second, and their ratios to plain Keras."""
    arrays = random_pairs(count)
    epochs = {
        "plain Keras": plain_keras_epoch(*arrays),
        "float32": package_epoch(*arrays),
        "mixed_bfloat16": package_epoch(*arrays, "mixed_bfloat16"),
    }
    for train_epoch in epochs.values():
        train_epoch()  # traces the graph
    speeds = {name: [] for name in epochs}
    for _ in range(rounds):
        for name, train_epoch in epochs.items():
            start = time.perf_counter()
            train_epoch()
            speeds[name].append(count / (time.perf_counter() - start))
    for name, values in speeds.items():
        spread = f"({min(values):.0f} to {max(values):.0f})"
        click.echo(f"{name:18} {np.median(values):6.0f} {spread}")
    plain_keras = np.array(speeds.pop("plain Keras"))
    for name, values in speeds.items():
        ratio = np.median(np.array(values) / plain_keras)
        click.echo(f"{name}: {ratio:.2f} of plain Keras, median of {rounds} rounds")


if __name__ == "__main__":
    main()
