"""`images.square_image` as a TensorFlow graph, with exactly the same pixels."""

import tensorflow as tf

FRACTION_BITS = 22  # Pillow's weights are integers in units of 2**-22


def square_in_graph(image: tf.Tensor, size: int, fit: str) -> tf.Tensor:
    """Resizes an RGB image to a square, as `images.square_image` does.

    Pillow resizes in integer arithmetic, and so does this function: the result is the
    same on every device. It is meant for exported models, which do not have Pillow.

    Args:
        image: a uint8 tensor of shape `(height, width, 3)`; height and width may be
            unknown when the graph is built.
        size: width and height of the result in pixels.
        fit: "crop" (the middle), "pad" (with white) or "stretch".

    Returns:
        A uint8 tensor of shape `(size, size, 3)`.
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
    horizontal = _resize_weights(width, columns)
    vertical = horizontal if fit == "crop" else _resize_weights(height, rows)
    # Columns first, as rows of the transposed image, whose pixels are contiguous.
    image = _resize_rows(tf.transpose(image, (1, 0, 2)), *horizontal)
    image = _resize_rows(tf.transpose(image, (1, 0, 2)), *vertical)
    if fit == "pad":
        top, left = (size - rows) // 2, (size - columns) // 2
        paddings = [[top, size - rows - top], [left, size - columns - left], [0, 0]]
        image = tf.pad(image, paddings, constant_values=255)
    return tf.ensure_shape(image, (size, size, 3))


def _resize_rows(image: tf.Tensor, first: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Computes weighted sums of rows, tap by tap, which avoids large copies.

    Args:
        image: uint8, shape `(height, width, 3)`.
        first: int32, shape `(new_height,)`, see `_resize_weights`.
        weights: int32, shape `(taps, new_height)`.

    Returns:
        uint8, shape `(new_height, width, 3)`.
    """
    height, width = tf.unstack(tf.shape(image)[:2])
    rows = tf.reshape(image, (height, 3 * width))

    def add_tap(tap, sums):
        values = tf.gather(rows, tf.minimum(first + tap, height - 1))
        return tap + 1, sums + tf.cast(values, tf.int32) * weights[tap, :, None]

    # The sums begin with half of a pixel value, so that halves are rounded up.
    half = 2 ** (FRACTION_BITS - 1)
    sums = tf.fill((tf.size(first), 3 * width), half)
    num_taps = tf.shape(weights)[0]
    _, sums = tf.while_loop(lambda tap, _: tap < num_taps, add_tap, (0, sums))
    sums = tf.cast(tf.bitwise.right_shift(sums, FRACTION_BITS), tf.uint8)
    return tf.reshape(sums, (-1, width, 3))


def _resize_weights(
    old_size: tf.Tensor, new_size: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes Pillow's bilinear weights with antialiasing, as integers.

    Args:
        old_size: number of pixels before the resize.
        new_size: number of pixels after it.

    Returns:
        The index of the first pixel that contributes to each result, int32 of shape
        `(new_size,)`, and the weights of this and the following pixels, int32 of shape
        `(taps, new_size)`.
    """
    old_size, new_size = tf.cast(old_size, tf.float64), tf.cast(new_size, tf.float64)
    scale = old_size / new_size
    support = tf.maximum(scale, 1.0)  # half the width of the triangle
    centers = (tf.range(new_size) + 0.5) * scale
    first = tf.maximum(tf.floor(centers - support + 0.5), 0.0)
    last = tf.minimum(tf.floor(centers + support + 0.5), old_size)
    positions = first + tf.range(tf.reduce_max(last - first))[:, None]
    weights = tf.maximum(1.0 - tf.abs(positions - centers + 0.5) / support, 0.0)
    weights = tf.where(positions < last, weights, 0.0)
    weights /= tf.reduce_sum(weights, axis=0)
    weights = tf.floor(weights * 2.0**FRACTION_BITS + 0.5)
    return tf.cast(first, tf.int32), tf.cast(weights, tf.int32)
