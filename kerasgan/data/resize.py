"""`images.square` once more, as a TensorFlow graph: the same pixels exactly."""

import tensorflow as tf

FRACTION_BITS = 22  # Pillow's weights are integers in units of 2**-22


def square_in_graph(image, size: int, fit: str) -> tf.Tensor:
    """An RGB image to size × size, pixel for pixel as `images.square` does it.

    Pillow resizes in integers, and so does this: the result is the same on every
    device. For exported models, which have no Pillow.

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
        height = width = side
    rows = columns = tf.constant(size)
    if fit == "pad":
        sides = tf.cast([height, width], tf.float64)
        sides = tf.round(size * sides / tf.reduce_max(sides))
        rows, columns = tf.unstack(tf.maximum(1, tf.cast(sides, tf.int32)))
    across = _weights(width, columns)
    down = across if fit == "crop" else _weights(height, rows)
    # Columns, as rows of the transposed image, whose pixels lie side by side.
    image = _resized(tf.transpose(image, (1, 0, 2)), *across)
    image = _resized(tf.transpose(image, (1, 0, 2)), *down)
    if fit == "pad":
        top, left = (size - rows) // 2, (size - columns) // 2
        edges = [[top, size - rows - top], [left, size - columns - left], [0, 0]]
        image = tf.pad(image, edges, constant_values=255)
    return tf.ensure_shape(image, (size, size, 3))


def _resized(image: tf.Tensor, first: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The rows of a uint8 (height, width, 3), weighted, as uint8 (after, width, 3).

    Tap by tap, so that no copy is as large as a large image.
    """
    height, width = tf.unstack(tf.shape(image)[:2])
    rows = tf.reshape(image, (height, 3 * width))

    def add(tap, sums):
        found = tf.gather(rows, tf.minimum(first + tap, height - 1))
        return tap + 1, sums + tf.cast(found, tf.int32) * weights[tap, :, None]

    # Half of a whole pixel value, so that halves are rounded up.
    half = 2 ** (FRACTION_BITS - 1)
    sums = tf.fill((tf.size(first), 3 * width), half)
    taps = tf.shape(weights)[0]
    _, sums = tf.while_loop(lambda tap, _: tap < taps, add, (0, sums))
    sums = tf.cast(tf.bitwise.right_shift(sums, FRACTION_BITS), tf.uint8)
    return tf.reshape(sums, (-1, width, 3))


def _weights(before: tf.Tensor, after: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pillow's bilinear weights with antialiasing, as integers.

    Returns:
        int32 (after,): the first pixel that counts, and int32 (taps, after): how much
        it and those that follow it count.
    """
    before, after = tf.cast(before, tf.float64), tf.cast(after, tf.float64)
    scale = before / after
    reach = tf.maximum(scale, 1.0)  # half the width of the triangle
    centres = (tf.range(after) + 0.5) * scale
    first = tf.maximum(tf.floor(centres - reach + 0.5), 0.0)
    last = tf.minimum(tf.floor(centres + reach + 0.5), before)
    places = first + tf.range(tf.reduce_max(last - first))[:, None]
    weights = tf.maximum(1.0 - tf.abs(places - centres + 0.5) / reach, 0.0)
    weights = tf.where(places < last, weights, 0.0)
    weights /= tf.reduce_sum(weights, axis=0)
    weights = tf.floor(weights * 2.0**FRACTION_BITS + 0.5)
    return tf.cast(first, tf.int32), tf.cast(weights, tf.int32)
