"""The exponential moving average of the generator's weights."""

import keras
import tensorflow as tf
from keras import ops

RAMP = 0.05  # half-life at most this share of the images seen so far


def update_moving_average(
    average: keras.Model,
    model: keras.Model,
    images_seen: tf.Tensor,
    batch_size: tf.Tensor,
    half_life: float,
) -> None:
    """Moves an average towards a model's weights after a step.

    The half-life is short at first (Karras et al. 2020,
    https://arxiv.org/abs/1912.04958). Keras's optimizers average with a constant
    momentum, and leave out batch statistics.

    Args:
        average: a clone of `model`, updated in place.
        model: the trained model.
        images_seen: float scalar, images seen up to this step.
        batch_size: float scalar, images of this step over all replicas.
        half_life: in images; 0 for no averaging.
    """
    half_life = ops.minimum(half_life, RAMP * images_seen)
    decay = 0.5 ** (batch_size / ops.maximum(half_life, 1e-6))
    for mean, weight in zip(average.variables, model.variables, strict=True):
        if "float" in mean.dtype:
            mean.assign(weight + decay * (mean - weight))
