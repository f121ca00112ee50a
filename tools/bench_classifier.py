"""Images a second of `train-classifier`, beside the same layers in plain Keras.

    python tools/bench_classifier.py --rounds 5

Paper B's pair at 64 px, batches of 32, in float32 and in mixed_bfloat16. The peer is
what a Keras user would write: the same layers in a functional model, `compile` and `fit`
on arrays in memory, in float32. They train in turn in one process; ratios are medians
over the rounds.
"""

import time

import click
import numpy as np

import kerasgan  # noqa: F401  (sets oneDNN before TensorFlow is imported)

IMAGE_SIZE, CLASSES, WORDS, LENGTH = 64, 26, 5000, 32


def data(count):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    token_ids = random.integers(3, WORDS, (count, 1, LENGTH)).astype("int32")
    token_ids[:, 0, 12:] = 0
    labels = random.integers(0, CLASSES, count)
    return images, token_ids, labels


def ours(images, token_ids, labels, precision="float32"):
    """One epoch as `train-classifier` trains it."""
    from kerasgan.classification.examples import PairExamples
    from kerasgan.classification.network_trainer import NetworkTrainer
    from kerasgan.classification.networks import build_classifier, build_conv_branch
    from kerasgan.config.settings import ClassifierConfig
    from kerasgan.encoders.precision import dtype_policy_scope
    from kerasgan.encoders.text_branch import build_text_branch

    options = ClassifierConfig(minutes=None)
    with dtype_policy_scope(precision):
        network = build_classifier(
            CLASSES, build_conv_branch(IMAGE_SIZE), build_text_branch(WORDS, None)
        )
        trainer = NetworkTrainer(network, options)
    ids, texts = [str(n) for n in range(len(labels))], [["words"]] * len(labels)
    examples = PairExamples(ids, images, texts, labels, token_ids)
    rows = np.arange(len(labels))
    return lambda: trainer.fit(examples, rows, epochs=1)


def peer(images, token_ids, labels):
    """One epoch as the tutorials train it."""
    import keras

    image = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    for filters in (32, 64, 128):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Dense(128, activation="relu")(keras.layers.Flatten()(x))
    words = keras.Input((LENGTH,), dtype="int32")
    y = keras.layers.Embedding(WORDS, 128, mask_zero=True)(words)
    y = keras.layers.LSTM(128, return_sequences=True)(y)
    weights = keras.ops.softmax(keras.layers.Dense(1)(y), axis=1)
    y = keras.layers.Flatten()(keras.layers.Dot(axes=1)([weights, y]))
    both = keras.layers.Dropout(0.5)(keras.layers.Concatenate()([x, y]))
    logits = keras.layers.Dense(CLASSES)(both)
    model = keras.Model([image, words], logits)
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    inputs = [images, token_ids[:, 0]]
    return lambda: model.fit(inputs, labels, batch_size=32, epochs=1, verbose=0)


@click.command()
@click.option("--images", "count", default=1600, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(count, rounds):
    """Prints images a second of all, and the ratios."""
    arrays = data(count)
    epochs = {
        "plain Keras": peer(*arrays),
        "float32": ours(*arrays),
        "mixed_bfloat16": ours(*arrays, "mixed_bfloat16"),
    }
    for epoch in epochs.values():
        epoch()  # traces the graph
    speeds = {name: [] for name in epochs}
    for _ in range(rounds):
        for name, epoch in epochs.items():
            start = time.perf_counter()
            epoch()
            speeds[name].append(count / (time.perf_counter() - start))
    for name, found in speeds.items():
        least, most = min(found), max(found)
        click.echo(f"{name:18} {np.median(found):6.0f} ({least:.0f} to {most:.0f})")
    plain = np.array(speeds.pop("plain Keras"))
    for name, found in speeds.items():
        ratio = np.median(np.array(found) / plain)
        click.echo(f"{name}: {ratio:.2f} of plain Keras, median of {rounds} rounds")


if __name__ == "__main__":
    main()
