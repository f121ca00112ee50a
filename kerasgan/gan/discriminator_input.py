"""Images as the discriminator sees them."""

import keras
import tensorflow as tf

from kerasgan.gan.augmentation import augment
from kerasgan.gan.blur import fading_blur


def discriminator_input(gan: keras.Model, images: tf.Tensor) -> tf.Tensor:
    """Augments images, and blurs them while training begins.

    Args:
        gan: a `GAN`.
        images: `(n, size, size, channels)` in [-1, 1], a whole batch of the replica.

    Returns:
        Images of the same shape and dtype.
    """
    images = augment(images, gan.augmentation, gan.seed_generator)
    return fading_blur(images, gan.images_seen(images), gan.blur, gan.blur_images)
