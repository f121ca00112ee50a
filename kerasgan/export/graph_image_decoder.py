"""Bytes of image files to training's pixels, inside a TensorFlow graph.

`kerasgan.data.images` once more, for exported models, which have no Pillow. What is
not the same stands in docs/export.md.
"""

import tensorflow as tf

from kerasgan.data.images import MAX_PIXELS, MIN_JPEG_BYTES
from kerasgan.data.resize import square_in_graph
from kerasgan.export.graph_gif_decoder import first_frame
from kerasgan.export.graph_image_headers import (
    chunks_of_png,
    exif_of_jpeg,
    number,
    orientation_of,
)

JPEG = b"\xff\xd8\xff"
# A PNG's size comes first, or it is none: what is checked is what is decoded.
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def decode_square_images(files, size, fit):
    """Many files at once, on as many threads as there are.

    Args:
        files: string `(n,)`, the bytes of JPEG, PNG, GIF and BMP files.
        size, fit: of the squares, see `kerasgan.data.images.square`.

    Returns:
        uint8 `(n, size, size, 3)`, and bool `(n,)`: whether the file is an image. Of
        one that is none all pixels are 0.
    """
    # A data set prepares its function for each call anew, which takes the longer the
    # more kinds of files it knows: a quarter of the time for one small image.
    jpegs = tf.reduce_all(tf.strings.substr(files, 0, len(JPEG)) == JPEG)
    places, images = tf.cond(
        jpegs,
        lambda: _found(
            files, lambda data: decode_square_image(data, size, fit, _jpeg), size
        ),
        lambda: _found(
            files, lambda data: decode_square_image(data, size, fit, _any), size
        ),
    )
    last, count = tf.size(places) - 1, tf.size(files)
    found = tf.tensor_scatter_nd_update(
        tf.fill([count + 1], last), places[:, None], tf.range(last + 1)
    )[:count]
    images = tf.gather(images, found)
    return tf.ensure_shape(images, (None, size, size, 3)), found < last


def _found(files, square, size):
    """The rows of all images and these themselves; and behind them, as the row
    behind the last, one that is all 0 and keeps a batch from being empty.

    TensorFlow's decoders fail on what is no image, and the whole batch with them; a
    data set leaves such rows out instead.
    """
    count = tf.size(files)

    @tf.autograph.experimental.do_not_convert
    def read(row, data):
        return row, square(data)

    rows = tf.data.Dataset.from_tensor_slices((tf.range(count), files))
    rows = rows.map(read, num_parallel_calls=tf.data.AUTOTUNE).ignore_errors()
    nothing = count, tf.zeros((size, size, 3), tf.uint8)
    rows = rows.concatenate(tf.data.Dataset.from_tensors(nothing))
    return rows.batch(tf.cast(count + 1, tf.int64)).get_single_element()


def decode_square_image(data, size, fit, decode):
    """One file, a scalar string, to uint8 `(size, size, 3)`.

    Args:
        decode: `_any`, or what decodes its kind.

    Raises:
        tf.errors.InvalidArgumentError: it is no image, is damaged, or has too many
            pixels; when the graph runs.
    """
    image, plain, exif = decode(data)
    orientation = orientation_of(exif)
    image = _upright(tf.ensure_shape(image, (None, None, 3)), orientation)
    square = square_in_graph(image, size, fit)
    if size < MIN_JPEG_BYTES:
        return square
    # Training stores larger squares as JPEG, but for JPEGs that are right already.
    right = plain & (orientation == 1) & tf.reduce_all(tf.shape(image)[:2] == size)
    return tf.cond(right, lambda: square, lambda: _recoded(square))


def _recoded(square):
    data = tf.io.encode_jpeg(square, "rgb", quality=95, chroma_downsampling=False)
    return tf.ensure_shape(_jpeg_pixels(data), square.shape)


# Files to RGB, whether they are plain JPEGs, and their EXIF --------------------------


def _any(data):
    kinds = [([JPEG], _jpeg), ([PNG], _png)]
    kinds += [([b"GIF87a", b"GIF89a"], _gif), ([b"BM"], _bmp)]

    def other():
        _check(False, "not a JPEG, PNG, GIF or BMP file")
        return tf.zeros((1, 1, 3), tf.uint8), False, b""

    answer = other
    for starts, decode in reversed(kinds):
        answer = _first_or(data, starts, decode, answer)
    return answer()


def _first_or(data, starts, decode, otherwise):
    """Decodes where the file has one of some starts of equal length."""
    same = tf.reduce_any(tf.strings.substr(data, 0, len(starts[0])) == starts)
    return lambda: tf.cond(same, lambda: decode(data), otherwise)


def _jpeg(data):
    shape = tf.io.extract_jpeg_shape(data)
    data = _not_too_large(data, shape[0], shape[1])
    return _jpeg_pixels(data), shape[2] == 3, exif_of_jpeg(data)


def _jpeg_pixels(data):
    """As Pillow decodes: the exact integer transform, smooth chroma."""
    return tf.io.decode_jpeg(
        data, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=True
    )


def _png(data):
    width, height = number(data, 16, 4), number(data, 20, 4)
    data = _not_too_large(data, height, width)
    depth, kind = number(data, 24, 1), number(data, 25, 1)
    clear, exif = chunks_of_png(data)
    # Pillow misses a transparent colour where it scales the pixels, but not the colour.
    clear &= (depth == 1) | (depth == 8) | (kind == 3)
    clear |= kind >= 4  # alpha
    image = tf.cond(
        (depth == 16) & (kind == 0),
        lambda: _deep_grey(data),
        lambda: tf.cond(
            clear, lambda: _over_white(data), lambda: tf.io.decode_png(data, 3)
        ),
    )
    return image, False, exif


def _deep_grey(data):
    """16 bits scaled to 8."""
    values = tf.cast(tf.io.decode_png(data, 1, tf.uint16), tf.float64)
    values = tf.round(values / 257)
    return tf.repeat(tf.cast(values, tf.uint8), 3, axis=-1)


def _over_white(data):
    """Transparency over white, in Pillow's integers (`Image.alpha_composite`)."""
    image = tf.cast(tf.io.decode_png(data, 4), tf.int32)
    colours, alpha = image[..., :3], image[..., 3:]
    mixed = 128 * (colours * alpha + 255 * (255 - alpha) + 128)
    return tf.cast((mixed // 256 + mixed) // 256 // 128, tf.uint8)


def _gif(data):
    frame = first_frame(data)
    file = _not_too_large(frame.file, frame.height, frame.width)
    return frame.on_canvas(tf.io.decode_gif(file)[0, ..., 0]), False, b""


def _bmp(data):
    """Uncompressed, of 24 or 32 bits a pixel, or 8 bits of grey: what TensorFlow
    reads as it is meant."""
    bits, start = number(data, 28, 2, little=True), number(data, 10, 4, little=True)
    grey = tf.cond(bits == 8, lambda: _is_grey(data, start), lambda: False)
    known = (bits == 24) | (bits == 32) | grey
    header = number(data, 14, 4, little=True)
    compression = number(data, 30, 4, little=True)
    known &= (header >= 40) & (compression == 0)
    _check(known, "a BMP file of a kind that is not read")
    # The height of an image that is stored from its top is negative.
    height = tf.io.decode_raw(tf.strings.substr(data, 22, 4), tf.int32)[0]
    width = number(data, 18, 4, little=True)
    data = _not_too_large(data, tf.abs(height), width)
    image = tf.io.decode_bmp(data)
    return tf.repeat(image, tf.where(grey, 3, 1), axis=-1)[..., :3], False, b""


def _is_grey(data, end):
    """Whether a BMP's palette, four bytes a colour, is the 256 greys in order."""
    palette = tf.io.decode_raw(tf.strings.substr(data, end - 1024, 1024), tf.uint8)
    colours = tf.reshape(palette, (256, 4))[:, :3]
    return tf.reduce_all(tf.cast(colours, tf.int32) == tf.range(256)[:, None])


def _upright(image, orientation):
    """Turns and mirrors as EXIF's orientation asks; others than 2 to 8 ask nothing."""

    def one_of(*numbers):
        return tf.reduce_any(orientation == tf.constant(numbers))

    def turned():
        turned = tf.cond(
            one_of(5, 6, 7, 8), lambda: tf.transpose(image, (1, 0, 2)), lambda: image
        )
        turned = tf.cond(one_of(2, 3, 6, 7), lambda: turned[:, ::-1], lambda: turned)
        return tf.cond(one_of(3, 4, 7, 8), lambda: turned[::-1], lambda: turned)

    return tf.cond(orientation == 1, lambda: image, turned)


def _not_too_large(data, height, width):
    """The file again, which nothing decodes before it was looked at."""
    pixels = tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
    with tf.control_dependencies([_check(pixels <= MAX_PIXELS, "too many pixels")]):
        return tf.identity(data)


def _check(condition, message):
    return tf.debugging.Assert(condition, [message])
