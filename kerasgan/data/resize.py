"""`pictures.square` once more, as a TensorFlow graph: the same pixels exactly."""

import tensorflow as tf

FRACTION_BITS = 22  # Pillow's weights are integers in units of 2**-22


def square_in_graph(image, size: int, fit: str) -> tf.Tensor:
    """An RGB picture to size × size, pixel for pixel as `pictures.square` does it.

    Pillow resizes in integers; float64 holds them exactly, so that the result is the
    same on every device. For exported models, which have no Pillow.

    Args:
        image: uint8 (height, width, 3), whose sizes need not be known.
        size: width and height of the result.
        fit: "crop", "pad" or "stretch".

    Returns:
        uint8 (size, size, 3).
    """
    shape = tf.shape(image)
    height, width = shape[0], shape[1]
    if fit == "crop":
        side = tf.minimum(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        image = image[top : top + side, left : left + side]
    rows = columns = tf.constant(size)
    if fit == "pad":
        sides = tf.cast([height, width], tf.float64)
        sides = tf.round(size * sides / tf.reduce_max(sides))
        rows, columns = tf.unstack(tf.maximum(1, tf.cast(sides, tf.int32)))
    across = _weights(tf.shape(image)[1], columns)
    down = _weights(tf.shape(image)[0], rows)
    image = tf.cast(image, tf.float64)
    image = _rounded(tf.einsum("ow,hwc->hoc", across, image))
    image = _rounded(tf.einsum("oh,hwc->owc", down, image))
    image = tf.cast(image, tf.uint8)
    if fit == "pad":
        top, left = (size - rows) // 2, (size - columns) // 2
        edges = [[top, size - rows - top], [left, size - columns - left], [0, 0]]
        image = tf.pad(image, edges, constant_values=255)
    return tf.ensure_shape(image, (size, size, 3))


def _rounded(sums: tf.Tensor) -> tf.Tensor:
    """From units of 2**-22 to whole pixel values; halves are rounded up."""
    return tf.floor((sums + 2.0 ** (FRACTION_BITS - 1)) / 2.0**FRACTION_BITS)


def _weights(before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """(after, before): Pillow's bilinear weights with antialiasing, as integers."""
    before, after = tf.cast(before, tf.float64), tf.cast(after, tf.float64)
    scale = before / after
    reach = tf.maximum(scale, 1.0)  # half the width of the triangle
    centres = (tf.range(after)[:, None] + 0.5) * scale
    places = tf.range(before)[None]
    first = tf.maximum(tf.floor(centres - reach + 0.5), 0.0)
    last = tf.minimum(tf.floor(centres + reach + 0.5), before)
    weights = tf.maximum(1.0 - tf.abs(places - centres + 0.5) / reach, 0.0)
    weights = tf.where((places >= first) & (places < last), weights, 0.0)
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    return tf.floor(weights * 2.0**FRACTION_BITS + 0.5)
