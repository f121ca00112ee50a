"""Converts image files to the pixels of training inside a TensorFlow graph.

The same as `kerasgan.data.images`, for exported models, which do not have Pillow.
docs/export.md lists the differences.
"""

from collections.abc import Callable

import tensorflow as tf

from kerasgan.data.images import MAX_PIXELS, MIN_JPEG_SIZE
from kerasgan.data.resize import square_in_graph
from kerasgan.export.graph_gif_decoder import find_first_frame
from kerasgan.export.graph_image_headers import (
    read_integer,
    read_jpeg_exif,
    read_orientation,
    read_png_chunks,
)

JPEG_SIGNATURE = b"\xff\xd8\xff"
# With the start of the first chunk, which must be the header: the size that is checked
# is then the size that is decoded.
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
GIF_SIGNATURES = [b"GIF87a", b"GIF89a"]
BMP_SIGNATURE = b"BM"

# A file, a scalar string, to its RGB image, whether it is a JPEG whose pixels are
# unchanged, and its EXIF.
Decoder = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def decode_square_images(
    files: tf.Tensor, size: int, fit: str
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes many files in parallel.

    Args:
        files: strings `(n,)`, the bytes of JPEG, PNG, GIF and BMP files.
        size: width and height of the results in pixels.
        fit: "crop", "pad" or "stretch", see `kerasgan.data.images.prepare_image`.

    Returns:
        uint8 `(n, size, size, 3)`, with zeros for files that are not images, and bool
        `(n,)`: whether the file is an image.
    """
    # A data set is prepared in each call, which takes longer the more formats its
    # function supports: a quarter of the time for one small image. Therefore batches of
    # JPEGs have a data set of their own.
    prefixes = tf.strings.substr(files, 0, len(JPEG_SIGNATURE))
    rows, images = tf.cond(
        tf.reduce_all(prefixes == JPEG_SIGNATURE),
        lambda: _decode_valid_files(files, size, fit, _decode_jpeg),
        lambda: _decode_valid_files(files, size, fit, _decode_any),
    )
    num_files, num_valid = tf.size(files), tf.size(rows) - 1
    # Invalid files get the last image, which is 0.
    indices = tf.fill([num_files + 1], num_valid)
    indices = tf.tensor_scatter_nd_update(
        indices, rows[:, None], tf.range(num_valid + 1)
    )[:num_files]
    images = tf.gather(images, indices)
    return tf.ensure_shape(images, (None, size, size, 3)), indices < num_valid


def _decode_valid_files(
    files: tf.Tensor, size: int, fit: str, decode: Decoder
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes those files that are images.

    TensorFlow's decoders fail on other files, and with them the batch. A data set can
    skip these rows instead.

    Returns:
        The rows of the images, int32, and the images. An image of zeros is appended
        with row n, so that the batch is never empty.
    """
    num_files = tf.size(files)

    @tf.autograph.experimental.do_not_convert
    def decode_row(row, data):
        return row, decode_square_image(data, size, fit, decode)

    dataset = tf.data.Dataset.from_tensor_slices((tf.range(num_files), files))
    dataset = dataset.map(decode_row, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset.ignore_errors()
    zeros = num_files, tf.zeros((size, size, 3), tf.uint8)
    dataset = dataset.concatenate(tf.data.Dataset.from_tensors(zeros))
    return dataset.batch(tf.cast(num_files + 1, tf.int64)).get_single_element()


def decode_square_image(
    data: tf.Tensor, size: int, fit: str, decode: Decoder
) -> tf.Tensor:
    """Decodes one file.

    Args:
        data: content of the file, a scalar string.
        size: width and height of the result in pixels.
        fit: "crop", "pad" or "stretch", see `kerasgan.data.images.prepare_image`.
        decode: a decoder that supports its format.

    Returns:
        uint8 `(size, size, 3)`. `tf.errors.InvalidArgumentError` is raised when the
        graph runs if the file is not an image, is damaged, or has too many pixels.
    """
    image, unchanged, exif = decode(data)
    orientation = read_orientation(exif)
    image = _turn_upright(tf.ensure_shape(image, (None, None, 3)), orientation)
    square = square_in_graph(image, size, fit)
    if size < MIN_JPEG_SIZE:
        return square
    # For training, larger squares are stored as JPEG, unless the file is already a
    # suitable JPEG.
    is_stored = unchanged & (orientation == 1)
    is_stored &= tf.reduce_all(tf.shape(image)[:2] == size)
    return tf.cond(is_stored, lambda: square, lambda: _encode_and_decode(square))


def _encode_and_decode(square):
    data = tf.io.encode_jpeg(square, "rgb", quality=95, chroma_downsampling=False)
    return tf.ensure_shape(_decode_jpeg_pixels(data), square.shape)


# Decoders ------------------------------------------------------------------------


def _decode_any(data):
    decoders = [
        ([JPEG_SIGNATURE], _decode_jpeg),
        ([PNG_SIGNATURE], _decode_png),
        (GIF_SIGNATURES, _decode_gif),
        ([BMP_SIGNATURE], _decode_bmp),
    ]

    def fail():
        _check(False, "not a JPEG, PNG, GIF or BMP file")
        return tf.zeros((1, 1, 3), tf.uint8), False, b""

    decode = fail
    for signatures, decoder in reversed(decoders):
        decode = _if_signature(data, signatures, decoder, decode)
    return decode()


def _if_signature(data, signatures, decoder, otherwise):
    """Selects a decoder for files with one of several signatures of equal length."""
    prefix = tf.strings.substr(data, 0, len(signatures[0]))
    has_signature = tf.reduce_any(prefix == signatures)
    return lambda: tf.cond(has_signature, lambda: decoder(data), otherwise)


def _decode_jpeg(data):
    shape = tf.io.extract_jpeg_shape(data)
    data = _check_size(data, shape[0], shape[1])
    return _decode_jpeg_pixels(data), shape[2] == 3, read_jpeg_exif(data)


def _decode_jpeg_pixels(data):
    """Decodes as Pillow does: with the exact integer DCT and smooth chroma."""
    return tf.io.decode_jpeg(
        data, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=True
    )


def _decode_png(data):
    width, height = read_integer(data, 16, 4), read_integer(data, 20, 4)
    data = _check_size(data, height, width)
    depth, color_type = read_integer(data, 24, 1), read_integer(data, 25, 1)
    transparent, exif = read_png_chunks(data)
    # Pillow ignores a transparent color if it scales the pixels but not the color.
    transparent &= (depth == 1) | (depth == 8) | (color_type == 3)
    transparent |= color_type >= 4  # with an alpha channel
    image = tf.cond(
        (depth == 16) & (color_type == 0),
        lambda: _decode_png_grayscale_16(data),
        lambda: tf.cond(
            transparent,
            lambda: _decode_png_over_white(data),
            lambda: tf.io.decode_png(data, 3),
        ),
    )
    return image, False, exif


def _decode_png_grayscale_16(data):
    """Scales 16 bits to 8."""
    values = tf.cast(tf.io.decode_png(data, 1, tf.uint16), tf.float64)
    values = tf.round(values / 257)
    return tf.repeat(tf.cast(values, tf.uint8), 3, axis=-1)


def _decode_png_over_white(data):
    """Blends with white in Pillow's integer arithmetic (`Image.alpha_composite`)."""
    image = tf.cast(tf.io.decode_png(data, 4), tf.int32)
    colors, alpha = image[..., :3], image[..., 3:]
    blended = 128 * (colors * alpha + 255 * (255 - alpha) + 128)
    return tf.cast((blended // 256 + blended) // 256 // 128, tf.uint8)


def _decode_gif(data):
    frame = find_first_frame(data)
    file = _check_size(frame.file, frame.height, frame.width)
    return frame.paint(tf.io.decode_gif(file)[0, ..., 0]), False, b""


def _decode_bmp(data):
    """Decodes uncompressed BMPs of 24 or 32 bits, and of 8 bits if grayscale.

    TensorFlow does not decode others correctly.
    """
    bits = read_integer(data, 28, 2, little_endian=True)
    pixels = read_integer(data, 10, 4, little_endian=True)
    is_grayscale = tf.cond(
        bits == 8, lambda: _has_grayscale_palette(data, pixels), lambda: False
    )
    header_size = read_integer(data, 14, 4, little_endian=True)
    compression = read_integer(data, 30, 4, little_endian=True)
    is_supported = (bits == 24) | (bits == 32) | is_grayscale
    is_supported &= (header_size >= 40) & (compression == 0)
    _check(is_supported, "a BMP file of an unsupported kind")
    # The height is negative if the first row is stored first.
    height = tf.io.decode_raw(tf.strings.substr(data, 22, 4), tf.int32)[0]
    width = read_integer(data, 18, 4, little_endian=True)
    data = _check_size(data, tf.abs(height), width)
    image = tf.io.decode_bmp(data)
    return tf.repeat(image, tf.where(is_grayscale, 3, 1), axis=-1)[..., :3], False, b""


def _has_grayscale_palette(data, end):
    """Returns whether a BMP's palette has the 256 shades of gray in order."""
    raw = tf.strings.substr(data, end - 1024, 1024)  # four bytes a color
    colors = tf.reshape(tf.io.decode_raw(raw, tf.uint8), (256, 4))[:, :3]
    return tf.reduce_all(tf.cast(colors, tf.int32) == tf.range(256)[:, None])


def _turn_upright(image, orientation):
    """Rotates and mirrors an image; EXIF orientations except 2 to 8 are ignored."""

    def is_one_of(*values):
        return tf.reduce_any(orientation == tf.constant(values))

    def turn():
        turned = tf.cond(
            is_one_of(5, 6, 7, 8),
            lambda: tf.transpose(image, (1, 0, 2)),
            lambda: image,
        )
        turned = tf.cond(is_one_of(2, 3, 6, 7), lambda: turned[:, ::-1], lambda: turned)
        return tf.cond(is_one_of(3, 4, 7, 8), lambda: turned[::-1], lambda: turned)

    return tf.cond(orientation == 1, lambda: image, turn)


def _check_size(data, height, width):
    """Returns the file, which is not decoded before its size was checked."""
    num_pixels = tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
    check = _check(num_pixels <= MAX_PIXELS, "too many pixels")
    with tf.control_dependencies([check]):
        return tf.identity(data)


def _check(condition, message):
    return tf.debugging.Assert(condition, [message])
