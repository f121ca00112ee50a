"""The first frame of a GIF, inside a TensorFlow graph.

TensorFlow decodes all frames, however many and large, onto what may not be the GIF's
canvas, and makes transparent pixels black. So it is given a file of the first frame
alone, in which each colour is its own number. The format, which names every part that
is read here: https://www.w3.org/Graphics/GIF/spec-gif89a.txt
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerasgan.export.graph_image_headers import STEPS, number

EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B  # what blocks are, by their first byte
GRAPHIC_CONTROL = 0xF9  # the extension that says which colour is transparent
GREYS = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
ALIKE = 4096  # blocks of one length that are stepped over at once
REACH = 256  # bytes that a block takes at most


class Frame(NamedTuple):
    """Where a GIF's first frame is, and what is in it.

    file: a GIF of this frame alone, whose colours are greys: their own numbers.
    top, left: where it lies on the canvas.
    height, width: of the canvas.
    outside: uint8, the colour around it.
    colours: uint8 `(256, 3)`, white where they are transparent.
    """

    file: tf.Tensor
    top: tf.Tensor
    left: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    outside: tf.Tensor
    colours: tf.Tensor

    def on_canvas(self, numbers):
        """Colours' numbers, uint8 `(h, w)`, to uint8 `(height, width, 3)`."""
        height, width = tf.unstack(tf.shape(numbers))
        rows = self.top, self.height - self.top - height
        columns = self.left, self.width - self.left - width
        numbers = tf.pad(numbers, [rows, columns], constant_values=self.outside)
        return tf.gather(self.colours, tf.cast(numbers, tf.int32))


def first_frame(data):
    """Finds the first frame of a GIF, a scalar string, and decodes nothing."""
    # Whatever looks past the end finds an end there.
    raw = tf.pad(tf.io.decode_raw(data, tf.uint8), [[0, REACH]])
    place, colours = _colours(data, 10, 13, otherwise=GREYS)
    place, clear = _up_to_image(raw, place)
    left, top, width, height = (
        number(data, place + n, 2, little=True) for n in (1, 3, 5, 7)
    )
    pixels, colours = _colours(data, place + 9, place + 10, colours)
    end = tf.minimum(_end_of_blocks(raw, pixels + 1), tf.strings.length(data))
    size = tf.strings.substr(data, place + 5, 4)
    interlaced = tf.where(number(data, place + 9, 1) & 0x40 > 0, b"\x40", b"\0")
    head = [b"GIF89a", size, b"\xf7\0\0", GREYS.tobytes()]  # a table of 256 colours
    # The byte is the image's own: with another there is none, which decoding notices.
    head += [tf.strings.substr(data, place, 1), b"\0\0\0\0", size, interlaced]
    file = [*head, tf.strings.substr(data, pixels, end - pixels), b"\0;"]
    clear_there = tf.range(256)[:, None] == clear
    return Frame(
        tf.strings.join(file),
        *(top, left),
        tf.maximum(number(data, 8, 2, little=True), top + height),
        tf.maximum(number(data, 6, 2, little=True), left + width),
        tf.cast(tf.maximum(clear, 0), tf.uint8),
        tf.where(clear_there, tf.constant(255, tf.uint8), colours),
    )


def _colours(data, flags, place, otherwise):
    """The table of colours at `place`, black behind its end, if the byte at `flags`
    says that there is one; and where it ends."""
    flags = number(data, flags, 1)
    count = tf.where(flags & 0x80 > 0, 2 ** (1 + (flags & 7)), 0)
    table = tf.io.decode_raw(tf.strings.substr(data, place, 3 * count), tf.uint8)
    table = tf.pad(tf.reshape(table, (-1, 3)), [[0, 256 - count], [0, 0]])
    return place + 3 * count, tf.where(count > 0, table, otherwise)


def _up_to_image(raw, place):
    """Where the first image begins, and the number of its transparent colour, or -1."""

    def goes_on(place, clear):
        ends = (raw[place] == IMAGE) | (raw[place] == TRAILER)
        return ~ends & (place < tf.size(raw) - REACH)

    def step(place, clear):
        extension = raw[place] == EXTENSION
        control = extension & (raw[place + 1] == GRAPHIC_CONTROL)
        control &= raw[place + 3] & 1 > 0
        clear = tf.where(control, tf.cast(raw[place + 6], tf.int32), clear)
        further = tf.cond(
            extension, lambda: _end_of_blocks(raw, place + 2) + 1, lambda: place + 1
        )
        return tf.minimum(further, tf.size(raw) - REACH), clear

    return tf.while_loop(goes_on, step, (place, -1), maximum_iterations=STEPS)


def _end_of_blocks(raw, place):
    """Where the empty block lies that ends the blocks from `place` on."""

    def goes_on(place):
        return raw[place] > 0

    def step(place):
        # All blocks but the last have mostly the same length.
        length = 1 + tf.cast(raw[place], tf.int32)
        alike = raw[place : place + ALIKE * length : length] == raw[place]
        alike = tf.concat([alike, [False]], axis=0)
        count = tf.argmin(tf.cast(alike, tf.uint8), output_type=tf.int32)
        return (place + count * length,)

    return tf.while_loop(goes_on, step, (place,), maximum_iterations=STEPS)[0]
