"""Compares images per second of kerasgan's training step with common GAN code.

    python tools/bench_gan_step.py --precision float32

All rows train the same unconditional networks (64 px, batches of 64, four convolutions
of 32 to 256 filters in each), without regularization and without a moving average. The
last row adds kerasgan's defaults. The rows take turns in one process, so that other
load on the machine slows all of them. No row uses XLA, which is slower on CPUs.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
import tensorflow as tf
from keras_gan_peer import FrozenDiscriminatorGAN

from kerasgan.encoders.precision import supports_bfloat16
from kerasgan.gan.discriminator import Discriminator, build_discriminator
from kerasgan.gan.gan import GAN
from kerasgan.gan.generator import build_generator

IMAGE_SIZE, BATCH_SIZE, LATENT_DIM = 64, 64, 100
UNREGULARIZED = {"r1": 0.0, "augmentation": (), "ema_half_life": 0.0}


def build_networks() -> tuple[keras.Model, Discriminator]:
    """Builds the generator and the discriminator that all rows train."""
    sizes = {"image_size": IMAGE_SIZE, "min_filters": 32, "max_filters": 256}
    generator = build_generator(latent_dim=LATENT_DIM, **sizes)
    return generator, build_discriminator(**sizes)


def functional_discriminator(discriminator: Discriminator) -> keras.Model:
    """Rebuilds a discriminator as other code expects it.

    Args:
        discriminator: a `Discriminator` without captions.

    Returns:
        A `keras.Model` with the same weights: images to logits `(n, 1)`.
    """
    images = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    features = discriminator.image_branch(images)
    return keras.Model(images, discriminator.realness(features))


class AlternatingGAN(keras.Model):
    """The training step of the guides on keras.io.

    The discriminator is updated on a batch of generated and real images with slightly
    noisy labels, then the generator on fresh noise.

    Args:
        generator: noise `(n, latent_dim)` to images.
        discriminator: images to logits `(n, 1)`.
    """

    def __init__(self, generator: keras.Model, discriminator: keras.Model):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.loss_function = keras.losses.BinaryCrossentropy(from_logits=True)
        self.g_optimizer = keras.optimizers.Adam(4e-4, beta_1=0.5)
        self.d_optimizer = keras.optimizers.Adam(4e-4, beta_1=0.5)
        self.compile(jit_compile=False)

    def train_step(self, real):
        """Updates both networks once."""
        count = tf.shape(real)[0]
        generated = self.generator(tf.random.normal((count, LATENT_DIM)))
        labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
        labels += 0.05 * tf.random.uniform(tf.shape(labels))
        with tf.GradientTape() as tape:
            logits = self.discriminator(tf.concat([generated, real], axis=0))
            d_loss = self.loss_function(labels, logits)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)
        with tf.GradientTape() as tape:
            generated = self.generator(tf.random.normal((count, LATENT_DIM)))
            logits = self.discriminator(generated)
            g_loss = self.loss_function(tf.zeros((count, 1)), logits)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)
        return {"d_loss": d_loss, "g_loss": g_loss}


def frozen_discriminator_step() -> Callable[[], Any]:
    """Returns a function that makes one step of the Keras-GAN idiom."""
    generator, discriminator = build_networks()
    gan = FrozenDiscriminatorGAN(
        generator, functional_discriminator(discriminator), from_logits=True
    )
    real = random_images() / np.float32(127.5) - 1
    return lambda: gan.step(real)


def alternating_step() -> Callable[[], Any]:
    """Returns a function that makes one step of the guides on keras.io."""
    generator, discriminator = build_networks()
    gan = AlternatingGAN(generator, functional_discriminator(discriminator))
    gan.g_optimizer.build(gan.generator.trainable_weights)
    gan.d_optimizer.build(gan.discriminator.trainable_weights)
    return graph_step(gan, tf.constant(random_images() / np.float32(127.5) - 1))


def kerasgan_step(**arguments: Any) -> Callable[[], Any]:
    """Returns a function that makes one step of `kerasgan.GAN`.

    Args:
        **arguments: of `GAN`, besides the networks.
    """
    gan = GAN(*build_networks(), **arguments)
    gan.compile(
        keras.optimizers.Adam(4e-4, beta_1=0.5), keras.optimizers.Adam(4e-4, beta_1=0.5)
    )
    return graph_step(gan, {"image": tf.constant(random_images())})


def graph_step(model: keras.Model, batch: Any) -> Callable[[], list[float]]:
    """Compiles a model's `train_step` into one graph, as `fit` does.

    Args:
        model: has a `train_step`.
        batch: the batch of every step.

    Returns:
        A function that makes one step and returns its losses and metrics.
    """
    step = tf.function(lambda: model.train_step(batch))
    return lambda: [float(np.ravel(value)[0]) for value in step().values()]


def random_images() -> np.ndarray:
    """Returns a batch of uint8 noise."""
    shape = (BATCH_SIZE, IMAGE_SIZE, IMAGE_SIZE, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


ROWS = {
    "Keras-GAN idiom": frozen_discriminator_step,
    "keras.io alternating": alternating_step,
    "kerasgan, alternating": lambda: kerasgan_step(
        order="alternating", **UNREGULARIZED
    ),
    "kerasgan, one-stage": lambda: kerasgan_step(order="one-stage", **UNREGULARIZED),
    "kerasgan, one-stage, defaults": kerasgan_step,
}


def measure(rounds: int, num_steps: int) -> dict[str, list[float]]:
    """Measures all rows in turn.

    Args:
        rounds: number of turns.
        num_steps: steps of each row in a round.

    Returns:
        The images per second of each row, one value for each round.
    """
    steps = {name: build() for name, build in ROWS.items()}
    for step in steps.values():
        for _ in range(2):  # traces the graph and fills caches
            step()
    speeds = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            for _ in range(num_steps):
                step()
            seconds = time.perf_counter() - start
            speeds[name].append(BATCH_SIZE * num_steps / seconds)
    return speeds


def median_ratio(speeds: dict[str, list[float]], name: str, baseline: str) -> float:
    """Returns the median over rounds of one row's speed divided by another's.

    Args:
        speeds: the result of `measure`.
        name: the row above.
        baseline: the row below.
    """
    pairs = zip(speeds[name], speeds[baseline], strict=True)
    return statistics.median(speed / base for speed, base in pairs)


def format_table(speeds: dict[str, list[float]], precision: str) -> str:
    """Formats speeds and ratios as text.

    Args:
        speeds: the result of `measure`.
        precision: the dtype policy, for the heading.
    """
    lines = [
        f"{precision}; images/s: median (minimum to maximum), then the ratio to",
        f"{'':54}Keras-GAN   keras.io",
    ]
    for name, values in speeds.items():
        extremes = f"({min(values):.0f} to {max(values):.0f})"
        ratios = [median_ratio(speeds, name, baseline) for baseline in list(ROWS)[:2]]
        lines.append(
            f"{name:30}{statistics.median(values):8.1f} {extremes:14}"
            f"{ratios[0]:10.2f} {ratios[1]:10.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measures all rows and prints a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    precisions = ("float32", "mixed_bfloat16")
    parser.add_argument("--precision", choices=precisions, default="float32")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=8, help="steps in each round")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.precision != "float32" and not supports_bfloat16():
        print(
            "This machine does not report hardware support for bfloat16. It would"
            " emulate bfloat16 slowly, so nothing is measured."
        )
        return
    keras.mixed_precision.set_dtype_policy(options.precision)
    speeds = measure(options.rounds, options.steps)
    if options.json:
        print(json.dumps({"precision": options.precision, "images_per_second": speeds}))
    else:
        print(format_table(speeds, options.precision))


if __name__ == "__main__":
    main()
