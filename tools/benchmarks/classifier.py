"""An epoch of paper B's network for image and text: kerasgan's, and plain Keras.

Plain Keras is what its tutorials do: the same layers in a functional model, and `fit`
on arrays in memory.
"""

from collections.abc import Callable
from types import SimpleNamespace

import keras
import numpy as np

from benchmarks.tensorflow_setup import set_precision
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.network_trainer import NetworkTrainer
from kerasgan.classification.networks import build_classifier, build_conv_branch
from kerasgan.config.settings import ClassifierConfig
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.training.allocator import retain_freed_memory

NUM_CLASSES, VOCABULARY_SIZE, LENGTH, BATCH_SIZE, DROPOUT = 26, 5000, 32, 32, 0.5
FILTERS, DIM = (32, 64, 128), 128
WORDS = 12  # of each text; the rest is padding


def random_pairs(tiny: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns random images, token ids `(count, 1, LENGTH)` and labels.

    Args:
        tiny: whether only a few.
    """
    random = np.random.default_rng(0)
    count, size = (64, 16) if tiny else (1600, 64)
    images = random.integers(0, 256, (count, size, size, 3), np.uint8)
    token_ids = random.integers(3, VOCABULARY_SIZE, (count, 1, LENGTH)).astype("int32")
    token_ids[:, 0, WORDS:] = 0
    return images, token_ids, random.integers(0, NUM_CLASSES, count)


def kerasgan_epoch(
    options: SimpleNamespace, precision: str = "float32"
) -> Callable[[], int]:
    """Trains an epoch as `train-classifier` does.

    Args:
        options: of `bench.py`.
        precision: the dtype policy.
    """
    set_precision(precision)
    retain_freed_memory()  # as `train_classifier` does
    images, token_ids, labels = random_pairs(options.tiny)
    network = build_classifier(
        NUM_CLASSES,
        build_conv_branch(images.shape[1], FILTERS, DIM),
        build_text_branch(VOCABULARY_SIZE, None, DIM),
        DROPOUT,
    )
    config = ClassifierConfig(minutes=None, batch_size=BATCH_SIZE)
    trainer = NetworkTrainer(network, config)
    ids, texts = list(map(str, range(len(labels)))), [["words"]] * len(labels)
    examples = PairExamples(ids, images, texts, labels, token_ids)
    rows = np.arange(len(labels))

    def run():
        trainer.fit(examples, rows, epochs=1)
        return len(labels)

    return run


def plain_keras_epoch(
    options: SimpleNamespace, precision: str = "float32"
) -> Callable[[], int]:
    """Trains an epoch as Keras's tutorials do.

    Args:
        options: of `bench.py`.
        precision: the dtype policy.
    """
    set_precision(precision)
    images, token_ids, labels = random_pairs(options.tiny)
    image = keras.Input(images.shape[1:])
    x = keras.layers.Rescaling(1 / 255)(image)
    for filters in FILTERS:
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Dense(DIM, activation="relu")(keras.layers.Flatten()(x))
    tokens = keras.Input((LENGTH,), dtype="int32")
    y = keras.layers.Embedding(VOCABULARY_SIZE, DIM, mask_zero=True)(tokens)
    y = keras.layers.LSTM(DIM, return_sequences=True)(y)
    weights = keras.ops.softmax(keras.layers.Dense(1)(y), axis=1)
    y = keras.layers.Flatten()(keras.layers.Dot(axes=1)([weights, y]))
    features = keras.layers.Dropout(DROPOUT)(keras.layers.Concatenate()([x, y]))
    model = keras.Model([image, tokens], keras.layers.Dense(NUM_CLASSES)(features))
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    inputs = [images, token_ids[:, 0]]

    def run():
        model.fit(inputs, labels, batch_size=BATCH_SIZE, epochs=1, verbose=0)
        return len(labels)

    return run
