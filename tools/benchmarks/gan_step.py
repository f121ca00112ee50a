"""Training steps of a GAN in TensorFlow: kerasgan's, and three published ones.

All train the same unconditional networks, four convolutions of 32 to 256 filters in
each, without regularization and without a moving average, unless stated otherwise. On a
GPU XLA compiles all of them but the Keras-GAN idiom.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras_gan_peer import FrozenDiscriminatorGAN

from benchmarks.gan_sizes import LATENT_DIM, LEARNING_RATE, gan_sizes
from benchmarks.tensorflow_setup import has_gpu, repeated, set_precision
from kerasgan.gan.discriminator import Discriminator, build_discriminator
from kerasgan.gan.gan import GAN
from kerasgan.gan.generator import build_generator
from kerasgan.training.allocator import retain_freed_memory
from kerasgan.training.devices import can_jit_compile

UNREGULARIZED = {"r1": 0.0, "augmentation": (), "ema_half_life": 0.0}


def build_networks(options: SimpleNamespace) -> tuple[keras.Model, Discriminator]:
    """Builds the generator and the discriminator that all contenders train.

    Args:
        options: of `bench.py`.
    """
    sizes = gan_sizes(options.tiny, has_gpu())
    arguments = {
        "image_size": sizes.image_size,
        "min_filters": sizes.min_filters,
        "max_filters": sizes.max_filters,
    }
    generator = build_generator(latent_dim=LATENT_DIM, **arguments)
    return generator, build_discriminator(**arguments)


def kerasgan_step(
    options: SimpleNamespace, precision: str = "float32", defaults: bool = False
) -> Callable[[], float]:
    """Steps of `kerasgan.GAN`.

    Args:
        options: of `bench.py`.
        precision: the dtype policy.
        defaults: whether with the regularization and moving average that are default.
    """
    set_precision(precision)
    retain_freed_memory()  # as `train_gan` does
    gan, sizes = build_gan(options, defaults), gan_sizes(options.tiny, has_gpu())
    step = compiled_step(gan, sizes)
    return repeated(step, sizes.steps, sizes.batch_size)


def build_gan(options: SimpleNamespace, defaults: bool = False) -> GAN:
    """Builds and compiles `kerasgan.GAN`.

    Args:
        options: of `bench.py`.
        defaults: see `kerasgan_step`.
    """
    networks = build_networks(options)
    gan = GAN(*networks, **({} if defaults else UNREGULARIZED))
    has_xla = can_jit_compile(tf.distribute.get_strategy(), *networks)
    gan.compile(_adam(), _adam(), jit_compile=has_xla)
    return gan


def compiled_step(gan: GAN, sizes: SimpleNamespace) -> Callable[[], tf.Tensor]:
    """Compiles a training step on one batch, as `fit` does.

    Args:
        gan: compiled.
        sizes: the result of `gan_sizes`.

    Returns:
        A function without arguments that returns the generator's loss.
    """
    batch = {"image": tf.constant(random_images(sizes))}

    def step():
        return gan.train_step(batch)["g_loss"]

    return tf.function(step, jit_compile=gan.jit_compile)


def keras_gan_step(options: SimpleNamespace) -> Callable[[], float]:
    """Steps of the Keras-GAN idiom: `predict` and three calls of `train_on_batch`.

    Args:
        options: of `bench.py`.
    """
    generator, discriminator = functional_networks(options)
    gan = FrozenDiscriminatorGAN(generator, discriminator, from_logits=True)
    sizes = gan_sizes(options.tiny, has_gpu())
    real = scaled_images(sizes)
    return repeated(lambda: gan.step(real)[1], sizes.steps, sizes.batch_size)


def keras_io_step(
    options: SimpleNamespace, precision: str = "float32"
) -> Callable[[], float]:
    """Steps of the guides on keras.io, which update one network after the other.

    The discriminator learns from generated and real images in one batch, with slightly
    noisy labels, and then the generator from fresh noise.

    Args:
        options: of `bench.py`.
        precision: the dtype policy.
    """
    set_precision(precision)
    sizes = gan_sizes(options.tiny, has_gpu())
    generator, discriminator = functional_networks(options)
    g_optimizer, d_optimizer = _optimizers(generator, discriminator)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    real, count = tf.constant(scaled_images(sizes)), sizes.batch_size

    def step():
        generated = generator(tf.random.normal((count, LATENT_DIM)))
        labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
        labels += 0.05 * tf.random.uniform(tf.shape(labels))
        with tf.GradientTape() as tape:
            logits = discriminator(tf.concat([generated, real], axis=0))
            d_loss = cross_entropy(labels, logits)
        weights = discriminator.trainable_weights
        d_optimizer.apply(tape.gradient(d_loss, weights), weights)
        with tf.GradientTape() as tape:
            generated = generator(tf.random.normal((count, LATENT_DIM)))
            g_loss = cross_entropy(tf.zeros((count, 1)), discriminator(generated))
        weights = generator.trainable_weights
        g_optimizer.apply(tape.gradient(g_loss, weights), weights)
        return g_loss

    return repeated(_graph(step), sizes.steps, count)


def two_tapes_step(
    options: SimpleNamespace, precision: str = "float32"
) -> Callable[[], float]:
    """Steps of TensorFlow's DCGAN tutorial: one forward pass, a tape for each network.

    Args:
        options: of `bench.py`.
        precision: the dtype policy.
    """
    set_precision(precision)
    sizes = gan_sizes(options.tiny, has_gpu())
    generator, discriminator = functional_networks(options)
    g_optimizer, d_optimizer = _optimizers(generator, discriminator)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    real = tf.constant(scaled_images(sizes))

    def step():
        noise = tf.random.normal((sizes.batch_size, LATENT_DIM))
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            generated = generator(noise, training=True)
            on_real = discriminator(real, training=True)
            on_generated = discriminator(generated, training=True)
            g_loss = cross_entropy(tf.ones_like(on_generated), on_generated)
            d_loss = cross_entropy(tf.ones_like(on_real), on_real)
            d_loss += cross_entropy(tf.zeros_like(on_generated), on_generated)
        g_weights = generator.trainable_variables
        d_weights = discriminator.trainable_variables
        g_optimizer.apply(g_tape.gradient(g_loss, g_weights), g_weights)
        d_optimizer.apply(d_tape.gradient(d_loss, d_weights), d_weights)
        return g_loss

    return repeated(_graph(step), sizes.steps, sizes.batch_size)


def functional_networks(options: SimpleNamespace) -> tuple[keras.Model, keras.Model]:
    """Builds the same networks as other code expects them.

    Args:
        options: of `bench.py`.

    Returns:
        The generator, and a discriminator from images to logits `(n, 1)`.
    """
    generator, discriminator = build_networks(options)
    images = keras.Input(generator.output_shape[1:])
    logits = discriminator.realness(discriminator.image_branch(images))
    return generator, keras.Model(images, logits)


def random_images(sizes: SimpleNamespace) -> np.ndarray:
    """Returns a batch of uint8 noise.

    Args:
        sizes: the result of `gan_sizes`.
    """
    shape = (sizes.batch_size, sizes.image_size, sizes.image_size, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def scaled_images(sizes: SimpleNamespace) -> np.ndarray:
    """Returns the same batch in [-1, 1], float32.

    Args:
        sizes: the result of `gan_sizes`.
    """
    return random_images(sizes) / np.float32(127.5) - 1


def _optimizers(*networks: keras.Model) -> list[Any]:
    optimizers = [_adam() for _ in networks]
    for optimizer, network in zip(optimizers, networks, strict=True):
        optimizer.build(network.trainable_variables)
    return optimizers


def _adam():
    return keras.optimizers.Adam(LEARNING_RATE, beta_1=0.5)


def _graph(step):
    return tf.function(step, jit_compile=has_gpu())
