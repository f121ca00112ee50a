"""Images a second of one training step: ours beside those that people use.

    python tools/bench_gan_step.py --precision float32

The same unconditional networks in every row (64 px, batches of 64, four convolutions
of 32 to 256 filters each side), no regularisation and no averaging in any; the last
row adds what ours does by default. The rows take turns in one process, so that what
slows the machine slows all. None is compiled with XLA, which is slower on processors.
"""

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
import tensorflow as tf
from keras_gan_peer import FrozenDiscriminatorGAN

from kerasgan.config.settings import GanConfig
from kerasgan.encoders.precision import supports_bfloat16
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.gan import GAN
from kerasgan.gan.generator import build_generator

SIZE, BATCH_SIZE, LATENT_DIM = 64, 64, 100
BARE = {"r1": 0.0, "augmentation": [], "ema_half_life": 0.0}


def networks():
    """G, and D as our `GAN` takes it."""
    shape = {"image_size": SIZE, "min_filters": 32, "max_filters": 256}
    generator = build_generator(latent_dim=LATENT_DIM, **shape)
    return generator, build_discriminator(**shape)


def plain(discriminator):
    """D as a model from images to logits `(n, 1)`."""
    images = keras.Input((SIZE, SIZE, 3))
    features = discriminator.image_branch(images)
    return keras.Model(images, discriminator.realness(features))


class AlternatingGAN(keras.Model):
    """The step that Keras's own guides teach: D on a batch that joins generated and
    real images, its labels a little noisy, then G on fresh noise."""

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.loss_function = keras.losses.BinaryCrossentropy(from_logits=True)
        self.g_optimizer = keras.optimizers.Adam(4e-4, beta_1=0.5)
        self.d_optimizer = keras.optimizers.Adam(4e-4, beta_1=0.5)
        self.compile(jit_compile=False)

    def train_step(self, real):
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


def frozen_step():
    generator, discriminator = networks()
    gan = FrozenDiscriminatorGAN(generator, plain(discriminator), from_logits=True)
    real = random_images() / np.float32(127.5) - 1
    return lambda: gan.step(real)


def alternating_step():
    generator, discriminator = networks()
    gan = AlternatingGAN(generator, plain(discriminator))
    for optimizer, network in (
        (gan.g_optimizer, gan.generator),
        (gan.d_optimizer, gan.discriminator),
    ):
        optimizer.build(network.trainable_weights)
    return compiled(gan, tf.constant(random_images() / np.float32(127.5) - 1))


def our_step(**settings):
    gan = GAN(*networks(), GanConfig(**settings), batch_size=BATCH_SIZE)
    gan.compile(
        keras.optimizers.Adam(4e-4, beta_1=0.5), keras.optimizers.Adam(4e-4, beta_1=0.5)
    )
    return compiled(gan, {"image": tf.constant(random_images())})


def compiled(model, batch):
    """The model's `train_step` as one graph, as `fit` runs it."""
    step = tf.function(lambda: model.train_step(batch))
    return lambda: [float(np.ravel(figure)[0]) for figure in step().values()]


def random_images():
    shape = (BATCH_SIZE, SIZE, SIZE, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


ROWS = {
    "Keras-GAN idiom": frozen_step,
    "keras.io alternating": alternating_step,
    "ours, alternating": lambda: our_step(order="alternating", **BARE),
    "ours, one-stage": lambda: our_step(order="one-stage", **BARE),
    "ours, one-stage, defaults": our_step,
}


def measure(rounds, steps):
    """Images a second of every row, one figure a round."""
    rows = {name: make() for name, make in ROWS.items()}
    for step in rows.values():  # traces, and fills caches
        step(), step()
    speeds = {name: [] for name in rows}
    for _ in range(rounds):
        for name, step in rows.items():
            start = time.perf_counter()
            for _ in range(steps):
                step()
            seconds = time.perf_counter() - start
            speeds[name].append(BATCH_SIZE * steps / seconds)
    return speeds


def ratio(speeds, name, other):
    """Median over rounds of one row's speed over another's."""
    return statistics.median(one / two for one, two in zip(speeds[name], speeds[other]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    precisions = ("float32", "mixed_bfloat16")
    parser.add_argument("--precision", choices=precisions, default="float32")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=8, help="a round")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.precision != "float32" and not supports_bfloat16():
        print(
            "This machine does not say that it multiplies in bfloat16: it imitates it,"
            " slowly, and there is nothing to measure."
        )
        return
    keras.mixed_precision.set_dtype_policy(options.precision)
    speeds = measure(options.rounds, options.steps)
    if options.json:
        print(json.dumps({"precision": options.precision, "images_per_second": speeds}))
        return
    print(f"{options.precision}; images/s: median (least to most), then the ratio to")
    print(f"{'':52}Keras-GAN   keras.io")
    for name, values in speeds.items():
        spread = f"({min(values):.0f} to {max(values):.0f})"
        ratios = [ratio(speeds, name, other) for other in list(ROWS)[:2]]
        print(
            f"{name:28}{statistics.median(values):8.1f} {spread:14}"
            f"{ratios[0]:10.2f} {ratios[1]:10.2f}"
        )


if __name__ == "__main__":
    main()
