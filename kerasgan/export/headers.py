"""What picture files say of themselves, read inside a TensorFlow graph.

A file comes as a scalar string and as the same bytes in a uint8 vector. Whatever
reaches past the end fails; `pictures_in_graph` makes of it a row that is not valid.
"""

import tensorflow as tf

ORIENTATION = 0x0112  # the EXIF tag


def orientation_of_jpeg(data, raw):
    """EXIF's orientation of a JPEG, an int32; 1, upright, where none is given."""

    def goes_on(place, tiff):
        inside = (place + 10 < tf.size(raw)) & (tiff == 0)
        # The segments before the picture's own, 0xDA.
        return inside & (raw[place] == 0xFF) & (raw[place + 1] != 0xDA)

    def step(place, tiff):
        kind = raw[place + 1]
        exif = (kind == 0xE1) & (tf.strings.substr(data, place + 4, 6) == b"Exif\0\0")
        length = tf.where(kind == 0xFF, 1, 2 + number(raw, place + 2, 2, False))
        return place + length, tf.where(exif, place + 10, tiff)

    _, tiff = tf.while_loop(goes_on, step, (2, 0))
    return _orientation_at(raw, tiff)


def orientation_of_png(data, raw):
    """As `orientation_of_jpeg`, from the chunk eXIf, which may come last."""
    return _orientation_at(raw, chunk_of_png(data, raw, b"eXIf"))


def chunk_of_png(data, raw, name):
    """Where the content of a PNG's first chunk `name` starts, an int32; 0: nowhere."""

    def goes_on(place, found):
        return (place + 12 <= tf.size(raw)) & (found == 0)

    def step(place, found):
        same = tf.strings.substr(data, place + 4, 4) == name
        length = tf.minimum(number(raw, place, 4, False), tf.size(raw))
        return place + 12 + length, tf.where(same, place + 8, found)

    return tf.while_loop(goes_on, step, (8, 0))[1]


def _orientation_at(raw, tiff):
    """What the first directory of the TIFF header at `tiff` says; 0 is no header."""

    def read():
        little = raw[tiff] == ord("I")
        first = tiff + number(raw, tiff + 4, 4, little)
        count = number(raw, first, 2, little)
        entries = tf.cast(raw[first + 2 : first + 2 + 12 * count], tf.int32)
        entries = tf.reshape(entries[: tf.size(entries) // 12 * 12], (-1, 12))

        def shorts(column):
            one, two = entries[:, column], entries[:, column + 1]
            return tf.where(little, one + 256 * two, 256 * one + two)

        found = tf.boolean_mask(shorts(8), shorts(0) == ORIENTATION)
        return tf.concat([found, [1]], axis=0)[0]

    return tf.cond(tiff > 0, read, lambda: 1)


def number(raw, place, length, little):
    """The unsigned integer in `length` bytes from `place` on, as an int32."""
    digits = tf.ensure_shape(raw[place : place + length], (length,))
    powers = tf.constant([256**n for n in range(length)], tf.int64)
    powers = tf.where(little, powers, powers[::-1])
    value = tf.reduce_sum(tf.cast(digits, tf.int64) * powers)
    return tf.cast(tf.minimum(value, tf.int32.max), tf.int32)
