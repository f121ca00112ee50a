"""Trains on one device and on two, and compares: run by `test_replicas.py`."""

import sys

import tensorflow as tf

processor = tf.config.list_physical_devices("CPU")[0]
halves = [tf.config.LogicalDeviceConfiguration() for _ in range(2)]
tf.config.set_logical_device_configuration(processor, halves)

import keras  # noqa: E402
import numpy as np  # noqa: E402

from kerasgan.classification.examples import PairExamples  # noqa: E402
from kerasgan.classification.network_trainer import NetworkTrainer  # noqa: E402
from kerasgan.classification.networks import (  # noqa: E402
    build_classifier,
    build_conv_branch,
)
from kerasgan.config.settings import ClassifierConfig  # noqa: E402
from kerasgan.encoders.text_branch import build_text_branch  # noqa: E402
from kerasgan.gan.discriminator import build_discriminator  # noqa: E402
from kerasgan.gan.gan import GAN  # noqa: E402
from kerasgan.gan.generator import build_generator  # noqa: E402

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (8, 8, 8, 3)).astype("uint8")
TOKEN_IDS = RANDOM.integers(3, 9, (8, 5)).astype("int32")


def fit_gan(**arguments):
    text = {"vocabulary_size": 9, "caption_length": 5, "text_dim": 6}
    gan = GAN(
        build_generator(8, 3, 4, 4, 4, text_dim=6, architecture="gated"),
        build_discriminator(8, 3, 4, 4, **text),
        r1_interval=2,
        **arguments,
    )
    rate = keras.optimizers.SGD(0.01)
    gan.compile(rate, keras.optimizers.SGD(0.01), jit_compile=False)
    batch = {"image": IMAGES, "token_ids": TOKEN_IDS}
    history = gan.fit(batch, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return history.history, gan.get_weights()


def fit_classifier():
    texts = [[] for _ in IMAGES]
    examples = PairExamples([""] * 8, IMAGES, texts, np.arange(8) % 3)
    examples.token_ids = TOKEN_IDS[:, None]
    network = build_classifier(
        3, build_conv_branch(8, [4], 4), build_text_branch(9, None, 4), dropout=0.0
    )
    config = ClassifierConfig(minutes=None, batch_size=4)
    trainer = NetworkTrainer(network, config)
    keras.utils.set_random_seed(1)  # of the order
    trainer.fit(examples, np.arange(8), epochs=2)
    predictions = trainer.predict_log_proba(examples)
    return trainer.model.history.history, [*network.get_weights(), predictions]


def fit_penalized_gan():
    augmentation = ["color", "translation", "cutout"]
    return fit_gan(
        loss="wasserstein-gp", order="alternating", augmentation=augmentation
    )


def compare(fit):
    results = []
    for strategy in (
        tf.distribute.OneDeviceStrategy("/cpu:0"),
        tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
    ):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            results.append(fit())
    (one, one_weights), (two, two_weights) = results
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=2e-3, atol=2e-4)
    for a, b in zip(one_weights, two_weights, strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-3, atol=2e-4)


for name in sys.argv[1:]:
    compare({"gan": fit_gan, "penalties": fit_penalized_gan}.get(name, fit_classifier))
