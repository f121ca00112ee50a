"""Reads metadata of image files inside a TensorFlow graph.

A file is a scalar string. `read_integer` fails past the end of the file, and a reserved
marker in a JPEG fails; `graph_image_decoder` then marks the row as invalid. Searching
for EXIF and transparency does not fail at the end of the file: the decoders detect
truncated files. Nor does damaged EXIF cause an error: it is ignored where it cannot be
read.
"""

import tensorflow as tf

ORIENTATION = 0x0112  # the EXIF tag
EXIF = b"Exif\0\0"  # the start of a JPEG's EXIF segment
APP1 = 0xFFE1  # the marker of a JPEG's EXIF segment
START_OF_SCAN = 0xFFDA  # the marker before the pixels of a JPEG
# Markers between these are reserved. TensorFlow's decoder skips them, Pillow does not.
STUFFED_BYTE, FIRST_MARKER = 0xFF00, 0xFFC0
# Maximum number of segments of a file that are read; a file with more is malicious.
MAX_STEPS = 10_000
# TIFF in both byte orders. Some programs swap the last two bytes, which Pillow accepts.
TIFF_SIGNATURES = [b"II*\0", b"MM\0*", b"II\0*", b"MM*\0"]
# Bytes of a value, by the field types of TIFF; 0 for undefined types.
FIELD_LENGTHS = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0]
SHORT_TYPES, LONG_TYPES = [3, 8], [4, 9, 13]  # integers of two and of four bytes


def read_integer(
    data: tf.Tensor, position: tf.Tensor, length: int, little_endian: bool = False
) -> tf.Tensor:
    """Reads an unsigned integer.

    Args:
        data: a scalar string.
        position: index of the first byte.
        length: number of bytes: 1, 2 or 4.
        little_endian: byte order.

    Returns:
        An int32 scalar; values that do not fit are clipped to the largest int32.
        Reading past the end raises `tf.errors.InvalidArgumentError` when the graph
        runs.
    """
    dtype = {1: tf.uint8, 2: tf.uint16, 4: tf.int32}[length]
    raw = tf.strings.substr(data, position, length)
    value = tf.io.decode_raw(raw, dtype, little_endian=little_endian)[0]
    value = tf.cast(value, tf.int32)
    return tf.where(value < 0, tf.int32.max, value) if length == 4 else value


def read_jpeg_exif(data: tf.Tensor) -> tf.Tensor:
    """Returns the TIFF file in the EXIF segment of a JPEG.

    Args:
        data: a JPEG file, a scalar string.

    Returns:
        A scalar string, empty if there is no EXIF. A reserved marker raises
        `tf.errors.InvalidArgumentError` when the graph runs.
    """

    def condition(position, marker, exif):
        in_file = position + 10 < tf.strings.length(data)
        return in_file & (marker != START_OF_SCAN)

    def step(position, marker, exif):
        raw = tf.strings.substr(data, position, 4)
        header = tf.io.decode_raw(raw, tf.uint16, little_endian=False)
        marker, length = tf.unstack(tf.cast(header, tf.int32), num=2)
        is_known = (marker <= STUFFED_BYTE) | (marker >= FIRST_MARKER)
        tf.debugging.Assert(is_known, ["a reserved marker in a JPEG"])
        is_exif = (marker == APP1) & (length >= 2 + len(EXIF)) & (exif == 0)
        is_exif &= tf.strings.substr(data, position + 4, len(EXIF)) == EXIF
        # Any number of 0xFF bytes may precede a marker.
        offset = tf.where(marker == 0xFFFF, 1, 2 + length)
        return position + offset, marker, tf.where(is_exif, position, exif)

    start = (2, 0, 0)  # after the marker at the start of the file
    _, _, exif = _bounded_while_loop(condition, step, start)

    def content():
        length = read_integer(data, exif + 2, 2) - 8
        return tf.strings.substr(data, exif + 10, length)

    return tf.cond(exif > 0, content, lambda: b"")


def read_png_chunks(data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds transparency and EXIF in a PNG.

    Args:
        data: a PNG file, a scalar string.

    Returns:
        Whether there is a `tRNS` chunk, a bool scalar, and the content of `eXIf`, which
        may be the last chunk, a scalar string, empty if there is none.
    """

    def condition(position, transparent, exif):
        return (position + 12 <= tf.strings.length(data)) & (exif == 0)

    def step(position, transparent, exif):
        name = tf.strings.substr(data, position + 4, 4)
        exif = tf.where(name == b"eXIf", position, exif)
        remaining = tf.strings.length(data) - position
        length = tf.minimum(read_integer(data, position, 4), remaining)
        return position + 12 + length, transparent | (name == b"tRNS"), exif

    start = (8, False, 0)  # after the signature
    _, transparent, exif = _bounded_while_loop(condition, step, start)

    def content():
        return tf.strings.substr(data, exif + 8, read_integer(data, exif, 4))

    return transparent, tf.cond(exif > 0, content, lambda: b"")


def _bounded_while_loop(condition, step, start):
    return tf.while_loop(condition, step, start, maximum_iterations=MAX_STEPS)


def read_orientation(tiff: tf.Tensor) -> tf.Tensor:
    """Reads the EXIF orientation.

    Args:
        tiff: a TIFF file, a scalar string.

    Returns:
        An int32 scalar; 1 (upright) if there is no orientation.
    """
    is_tiff = tf.reduce_any(tf.strings.substr(tiff, 0, 4) == TIFF_SIGNATURES)
    # No read goes past the end: an empty file has an empty directory.
    padded = tf.strings.join([tiff, b"\0" * 12])
    return tf.cond(is_tiff, lambda: _read_first_directory(tiff, padded), lambda: 1)


def _read_first_directory(tiff: tf.Tensor, padded: tf.Tensor) -> tf.Tensor:
    little_endian = tf.strings.substr(tiff, 0, 1) == b"I"

    def read(position, length):
        return tf.where(
            little_endian,
            read_integer(padded, position, length, little_endian=True),
            read_integer(padded, position, length, little_endian=False),
        )

    size = tf.strings.length(tiff)
    start = tf.minimum(read(4, 4), size)
    num_entries = tf.minimum(read(start, 2), tf.maximum(size - start - 2, 0) // 12)
    raw = tf.strings.substr(padded, start + 2, 12 * num_entries)
    entries = tf.reshape(tf.io.decode_raw(raw, tf.uint8), (-1, 12))
    entries = tf.cast(entries, tf.int64)

    def column(position, length):
        powers = tf.constant([256**n for n in range(length)], tf.int64)
        powers = tf.where(little_endian, powers, powers[::-1])
        digits = entries[:, position : position + length]
        return tf.reduce_sum(digits * powers, axis=1)

    tags, types, counts = column(0, 2), column(2, 2), column(4, 4)
    lengths = counts * tf.gather(
        tf.constant(FIELD_LENGTHS, tf.int64),
        tf.minimum(types, len(FIELD_LENGTHS) - 1),
    )
    is_integer = _is_in(types, SHORT_TYPES + LONG_TYPES) & (counts > 0) & (lengths <= 4)
    is_orientation = is_integer & (tags == ORIENTATION)
    # Pillow ignores all entries after one whose content is past the end of the file.
    size, offsets = tf.cast(size, tf.int64), column(8, 4)
    past_end = (lengths > 4) & (lengths <= size) & (offsets + lengths > size)
    is_orientation &= tf.cumsum(tf.cast(past_end, tf.int32)) == 0
    values = tf.where(_is_in(types, SHORT_TYPES), column(8, 2), column(8, 4))
    values = tf.cast(tf.boolean_mask(values, is_orientation), tf.int32)
    return tf.concat([values, [1]], axis=0)[0]


def _is_in(values, candidates):
    return tf.reduce_any(values[:, None] == candidates, axis=1)
