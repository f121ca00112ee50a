"""Training of a GAN from memory and from the disk, and without any reading.

What reading costs is the difference to training on one batch again and again.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import keras
import tensorflow as tf
from measure_streaming import build_gan_and_data, prepare_images

from benchmarks.tensorflow_setup import has_gpu, repeated
from kerasgan.training.allocator import retain_freed_memory

BATCH_SIZE = 32


def train(
    options: SimpleNamespace, source: str, deterministic: bool = False
) -> Callable[[], float]:
    """Trains the GAN with the discriminator `conv`, at 64 px.

    Args:
        options: of `bench.py`.
        source: `"memory"`, `"disk"` or `"batch"`.
        deterministic: whether as with `--deterministic`.
    """
    if deterministic:
        keras.utils.set_random_seed(0)
        tf.config.experimental.enable_op_determinism()
    retain_freed_memory()
    count = 1000 if options.tiny else 20_000
    path = prepare_images(Path(options.scratch) / "streaming", count, 64)
    in_memory = "never" if source == "disk" else "always"
    gan, dataset = build_gan_and_data(path, in_memory)
    batches = iter(dataset.batches(BATCH_SIZE, seed=0))
    if source == "batch":
        batches = itertools.repeat(next(batches))
    train_step = tf.function(gan.train_step, jit_compile=gan.jit_compile)
    steps = 2 if options.tiny else 200 if has_gpu() else 20
    return repeated(lambda: train_step(next(batches))["d_loss"], steps, BATCH_SIZE)
