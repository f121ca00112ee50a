"""What image files say of themselves, read inside a TensorFlow graph.

A file comes as a scalar string. `number` fails where it would read past the end;
`images_in_graph` makes of that a row that is not valid. The searches for EXIF and
transparency do not fail: they stop at the end, and what a part lacks there is not
missed, for decoders notice what is truncated. Nor does a broken EXIF: what cannot be
read of it is left aside.
"""

import tensorflow as tf

ORIENTATION = 0x0112  # the EXIF tag
EXIF = b"Exif\0\0"  # opens the segment of a JPEG
SCAN = 0xFFDA  # the marker behind which a JPEG's pixels come
STEPS = 10_000  # parts of a file that are looked at; more are taken for an attack
# Of TIFF, little-endian and big-endian; and as some write them, whom Pillow reads.
TIFFS = [b"II*\0", b"MM\0*", b"II\0*", b"MM*\0"]
# Bytes of each of the kinds of values in TIFF; 0 where there is no such kind.
LENGTHS = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0]
SHORTS, LONGS = [3, 8], [4, 9, 13]  # those that are whole numbers


def number(data, place, length, little=False):
    """The unsigned integer in 1, 2 or 4 bytes from `place` on, an int32; of larger
    ones the largest."""
    kind = {1: tf.uint8, 2: tf.uint16, 4: tf.int32}[length]
    digits = tf.strings.substr(data, place, length)
    value = tf.cast(tf.io.decode_raw(digits, kind, little_endian=little)[0], tf.int32)
    return tf.where(value < 0, tf.int32.max, value) if length == 4 else value


def exif_of_jpeg(data):
    """The TIFF file in a JPEG's EXIF segment, a string; empty where there is none."""

    def goes_on(place, kind, found):
        return (place + 10 < tf.strings.length(data)) & (kind != SCAN) & ~found

    def step(place, kind, found):
        digits = tf.strings.substr(data, place, 4)
        head = tf.io.decode_raw(digits, tf.uint16, little_endian=False)
        kind, length = tf.unstack(tf.cast(head, tf.int32), num=2)
        found = (kind == 0xFFE1) & (length >= 2 + len(EXIF))
        found &= tf.strings.substr(data, place + 4, len(EXIF)) == EXIF
        # One 0xFF and more may stand before a marker.
        further = tf.where(kind == 0xFFFF, 1, 2 + length)
        return tf.where(found, place, place + further), kind, found

    start = (2, 0, False)  # behind the marker that opens the file
    place, _, found = _bounded(goes_on, step, start)
    return tf.cond(
        found,
        lambda: tf.strings.substr(data, place + 10, number(data, place + 2, 2) - 8),
        lambda: b"",
    )


def chunks_of_png(data):
    """Of a PNG: whether it has a chunk tRNS, and the content of eXIf, which may come
    last; empty where there is none."""

    def goes_on(place, clear, exif):
        return (place + 12 <= tf.strings.length(data)) & (exif == 0)

    def step(place, clear, exif):
        name = tf.strings.substr(data, place + 4, 4)
        exif = tf.where(name == b"eXIf", place, exif)
        rest = tf.strings.length(data) - place
        length = tf.minimum(number(data, place, 4), rest)
        return place + 12 + length, clear | (name == b"tRNS"), exif

    _, clear, exif = _bounded(goes_on, step, (8, False, 0))
    return clear, tf.cond(
        exif > 0,
        lambda: tf.strings.substr(data, exif + 8, number(data, exif, 4)),
        lambda: b"",
    )


def _bounded(goes_on, step, start):
    return tf.while_loop(goes_on, step, start, maximum_iterations=STEPS)


def orientation_of(tiff):
    """EXIF's orientation in a TIFF file, a string, as an int32; 1, upright, where it
    says none."""
    known = tf.reduce_any(tf.strings.substr(tiff, 0, 4) == TIFFS)
    # So that nothing reaches past the end: the empty directory of an empty file.
    padded = tf.strings.join([tiff, b"\0" * 12])
    return tf.cond(known, lambda: _first_directory(tiff, padded), lambda: 1)


def _first_directory(tiff, padded):
    little = tf.strings.substr(tiff, 0, 1) == b"I"

    def read(place, length):
        return tf.where(
            little,
            number(padded, place, length, True),
            number(padded, place, length, False),
        )

    size = tf.strings.length(tiff)
    start = tf.minimum(read(4, 4), size)
    count = tf.minimum(read(start, 2), tf.maximum(size - start - 2, 0) // 12)
    entries = tf.io.decode_raw(
        tf.strings.substr(padded, start + 2, 12 * count), tf.uint8
    )
    entries = tf.cast(tf.reshape(entries, (-1, 12)), tf.int64)

    def numbers(column, length):
        powers = tf.constant([256**n for n in range(length)], tf.int64)
        powers = tf.where(little, powers, powers[::-1])
        return tf.reduce_sum(entries[:, column : column + length] * powers, axis=1)

    kinds, counts = numbers(2, 2), numbers(4, 4)
    lengths = counts * tf.gather(
        tf.constant(LENGTHS, tf.int64), tf.minimum(kinds, len(LENGTHS) - 1)
    )
    whole = _one_of(kinds, SHORTS + LONGS) & (counts > 0) & (lengths <= 4)
    found = whole & (numbers(0, 2) == ORIENTATION)
    # Behind an entry whose content lies past the end Pillow reads none.
    size = tf.cast(size, tf.int64)
    lost = (lengths > 4) & (lengths <= size) & (numbers(8, 4) + lengths > size)
    found &= tf.cumsum(tf.cast(lost, tf.int32)) == 0
    values = tf.where(_one_of(kinds, SHORTS), numbers(8, 2), numbers(8, 4))
    values = tf.cast(tf.boolean_mask(values, found), tf.int32)
    return tf.concat([values, [1]], axis=0)[0]


def _one_of(values, known):
    return tf.reduce_any(values[:, None] == known, axis=1)
