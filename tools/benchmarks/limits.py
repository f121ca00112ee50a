"""What the processor can do: a large matrix product, beside the GAN's training step."""

from collections.abc import Callable
from types import SimpleNamespace

import keras
import tensorflow as tf

from benchmarks.gan_sizes import gan_sizes
from benchmarks.gan_step import build_gan, compiled_step
from benchmarks.tensorflow_setup import has_gpu, repeated, set_precision
from kerasgan.layers.traversal import find_layers
from kerasgan.training.allocator import retain_freed_memory


def matrix_product(
    options: SimpleNamespace, precision: str = "float32"
) -> Callable[[], float]:
    """Multiplies square matrices.

    Args:
        options: of `bench.py`.
        precision: `"float32"` or `"mixed_bfloat16"`.

    Returns:
        A function that returns 10⁹ operations.
    """
    set_precision(precision)
    size, repeats = (8192, 50) if has_gpu() else (4096, 2)
    if options.tiny:
        size, repeats = 64, 2
    dtype = "float32" if precision == "float32" else "bfloat16"
    matrix = tf.cast(tf.random.normal((size, size)), dtype)

    @tf.function
    def multiply():
        return tf.cast(tf.reduce_sum(tf.matmul(matrix, matrix)), "float32")

    return repeated(multiply, repeats, 2 * size**3 / 1e9)


def gan_step(
    options: SimpleNamespace, precision: str = "float32"
) -> Callable[[], float]:
    """Makes the training steps of `gan_step.py`.

    Args:
        options: of `bench.py`.
        precision: the dtype policy.

    Returns:
        A function that returns 10⁹ operations of the convolutions.
    """
    set_precision(precision)
    retain_freed_memory()
    gan, sizes = build_gan(options), gan_sizes(options.tiny, has_gpu())
    # A generated image passes G and D, a real one D. A backward pass costs twice as
    # much as a forward pass.
    operations = convolution_operations(gan.generator)
    operations += 2 * convolution_operations(gan.discriminator.image_branch)
    operations *= 3 * sizes.batch_size
    return repeated(compiled_step(gan, sizes), sizes.steps, operations / 1e9)


def convolution_operations(network: keras.Model) -> int:
    """Returns the multiplications and additions of an image's forward pass.

    Args:
        network: a functional model.
    """
    total = 0
    for layer in find_layers(network, keras.layers.Conv2D):
        height, width = layer.output.shape[1:3]
        total += 2 * height * width * int(tf.size(layer.kernel))
    return total
