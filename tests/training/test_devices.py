import subprocess
import sys
from pathlib import Path

import keras
import numpy as np

from kerasgan.training.devices import ReplicaSeedGenerator

ROOT = Path(__file__).parents[2]
TWO_DEVICES = """
import tensorflow as tf

processor = tf.config.list_physical_devices("CPU")[0]
halves = [tf.config.LogicalDeviceConfiguration() for _ in range(2)]
tf.config.set_logical_device_configuration(processor, halves)

import keras
import numpy as np

from kerasgan.gan.augmentation import AUGMENTATIONS, augment
from tests.gan.test_gan import BATCH, build

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
alike = tf.constant(BATCH["image"][:2], tf.float32) / 255


def both(function):
    parts = strategy.run(tf.function(function)).values
    return [np.asarray(part) for part in parts]


with strategy.scope():
    gan = build()
    gan.compile(*(keras.optimizers.SGD(1e-3) for _ in range(2)), jit_compile=False)
seeds = gan.seed_generator
noise = both(lambda: keras.random.normal((4,), seed=seeds))
assert abs(noise[0] - noise[1]).min() > 1e-3, noise
alone = keras.random.normal((4,), seed=keras.random.SeedGenerator(0))
np.testing.assert_array_equal(noise[0], alone)
for name in AUGMENTATIONS:
    for _ in range(3):  # two translations may well be the same once
        seen = both(lambda: augment(alike, [name], seeds))
        if (seen[0] != seen[1]).any():
            break
    else:
        raise AssertionError(f"{name} is the same on both")

start = gan.generator.get_weights()
gan.fit(BATCH, batch_size=4, epochs=2, verbose=0)
assert any((a != b).any() for a, b in zip(start, gan.generator.get_weights()))
for weight in [*gan.trainable_variables, seeds.state]:
    first, second = weight.value.values
    np.testing.assert_array_equal(first, second)
"""


def test_replicas_draw_different_numbers_and_stay_the_same_networks():
    command = [sys.executable, "-c", TWO_DEVICES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_one_device_draws_what_keras_draws():
    ours, usual = ReplicaSeedGenerator(5), keras.random.SeedGenerator(5)
    for _ in range(3):
        np.testing.assert_array_equal(
            keras.random.normal((4,), seed=ours),
            keras.random.normal((4,), seed=usual),
        )
    np.testing.assert_array_equal(ours.state.numpy(), [5, 3])
