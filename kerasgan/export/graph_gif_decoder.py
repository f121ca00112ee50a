"""Finds the first frame of a GIF inside a TensorFlow graph.

TensorFlow decodes all frames, whatever their number and size, may use another canvas
than the one of the GIF, and makes transparent pixels black. Therefore its decoder gets
a GIF of the first frame only, whose colors are replaced by their indices. Format:
https://www.w3.org/Graphics/GIF/spec-gif89a.txt
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerasgan.export.graph_image_headers import MAX_STEPS, read_integer

# The first byte of a block.
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
GRAPHIC_CONTROL = 0xF9  # the extension with the index of the transparent color
# The palette in which each color is its index; also used if a GIF has no palette.
GRAYSCALE = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
MAX_SKIPPED_BLOCKS = 4096  # blocks of equal length that are skipped in one step
MAX_BLOCK_LENGTH = 256  # bytes


class Frame(NamedTuple):
    """The first frame of a GIF, which is not decoded yet.

    Attributes:
        file: a GIF of this frame only, a scalar string. Its colors are the indices of
            `palette`.
        top: row of the frame on the canvas.
        left: column of the frame on the canvas.
        height: of the canvas.
        width: of the canvas.
        background: uint8, index of the color around the frame.
        palette: uint8 `(256, 3)`, RGB. The transparent color is white.
    """

    file: tf.Tensor
    top: tf.Tensor
    left: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    background: tf.Tensor
    palette: tf.Tensor

    def paint(self, indices: tf.Tensor) -> tf.Tensor:
        """Paints the frame on the canvas.

        Args:
            indices: uint8 `(frame_height, frame_width)`, indices of `palette`.

        Returns:
            uint8 `(height, width, 3)`, RGB.
        """
        frame_height, frame_width = tf.unstack(tf.shape(indices))
        rows = self.top, self.height - self.top - frame_height
        columns = self.left, self.width - self.left - frame_width
        indices = tf.pad(indices, [rows, columns], constant_values=self.background)
        return tf.gather(self.palette, tf.cast(indices, tf.int32))


def find_first_frame(data: tf.Tensor) -> Frame:
    """Finds the first frame of a GIF without decoding it.

    Args:
        data: a GIF file, a scalar string.

    Returns:
        A `Frame`.
    """
    # Zeros after the end of the file, which end all blocks.
    raw = tf.pad(tf.io.decode_raw(data, tf.uint8), [[0, MAX_BLOCK_LENGTH]])
    position, palette = _read_palette(data, 10, 13, default=GRAYSCALE)
    position, transparent = _skip_to_image(raw, position)
    left, top, width, height = (
        read_integer(data, position + offset, 2, little_endian=True)
        for offset in (1, 3, 5, 7)
    )
    pixels, palette = _read_palette(data, position + 9, position + 10, palette)
    end = tf.minimum(_skip_blocks(raw, pixels + 1), tf.strings.length(data))
    is_transparent = tf.range(256)[:, None] == transparent
    return Frame(
        file=_build_gif(data, position, pixels, end),
        top=top,
        left=left,
        height=tf.maximum(read_integer(data, 8, 2, little_endian=True), top + height),
        width=tf.maximum(read_integer(data, 6, 2, little_endian=True), left + width),
        background=tf.cast(tf.maximum(transparent, 0), tf.uint8),
        palette=tf.where(is_transparent, tf.constant(255, tf.uint8), palette),
    )


def _build_gif(data, position, pixels, end):
    """Builds a grayscale GIF of the frame at `position`.

    Args:
        data: the GIF file.
        position: index of the first byte of the frame.
        pixels: index of the first byte of its pixels.
        end: index after its last byte.
    """
    size = tf.strings.substr(data, position + 5, 4)
    flags = read_integer(data, position + 9, 1)
    interlaced = tf.where(flags & 0x40 > 0, b"\x40", b"\0")
    header = [b"GIF89a", size, b"\xf7\0\0", GRAYSCALE.tobytes()]  # 256 colors
    # The first byte is copied: if it does not start an image, decoding fails.
    start = tf.strings.substr(data, position, 1)
    header += [start, b"\0\0\0\0", size, interlaced]
    content = tf.strings.substr(data, pixels, end - pixels)
    return tf.strings.join([*header, content, b"\0;"])


def _read_palette(data, flags_position, position, default):
    """Reads a palette, if the flags indicate that there is one.

    Args:
        data: the GIF file.
        flags_position: index of the byte with the flags.
        position: index of the first byte of the palette.
        default: the palette that is returned if there is none.

    Returns:
        The index after the palette, and uint8 `(256, 3)`, with black for missing
        colors.
    """
    flags = read_integer(data, flags_position, 1)
    num_colors = tf.where(flags & 0x80 > 0, 2 ** (1 + (flags & 7)), 0)
    raw = tf.strings.substr(data, position, 3 * num_colors)
    palette = tf.reshape(tf.io.decode_raw(raw, tf.uint8), (-1, 3))
    palette = tf.pad(palette, [[0, 256 - num_colors], [0, 0]])
    palette = tf.where(num_colors > 0, palette, default)
    return position + 3 * num_colors, palette


def _skip_to_image(raw, position):
    """Returns the position of the first image, and its transparent color or -1."""
    last = tf.size(raw) - MAX_BLOCK_LENGTH

    def condition(position, transparent):
        ends = (raw[position] == IMAGE) | (raw[position] == TRAILER)
        return ~ends & (position < last)

    def step(position, transparent):
        is_extension = raw[position] == EXTENSION
        is_control = is_extension & (raw[position + 1] == GRAPHIC_CONTROL)
        has_transparency = is_control & (raw[position + 3] & 1 > 0)
        index = tf.cast(raw[position + 6], tf.int32)
        transparent = tf.where(has_transparency, index, transparent)
        following = tf.cond(
            is_extension,
            lambda: _skip_blocks(raw, position + 2) + 1,
            lambda: position + 1,
        )
        return tf.minimum(following, last), transparent

    return tf.while_loop(condition, step, (position, -1), maximum_iterations=MAX_STEPS)


def _skip_blocks(raw, position):
    """Returns the position of the empty block that ends a sequence of blocks."""

    def condition(position):
        return raw[position] > 0

    def step(position):
        # All blocks except the last one usually have the same length.
        length = 1 + tf.cast(raw[position], tf.int32)
        end = position + MAX_SKIPPED_BLOCKS * length
        is_equal = raw[position:end:length] == raw[position]
        is_equal = tf.concat([is_equal, [False]], axis=0)
        num_blocks = tf.argmin(tf.cast(is_equal, tf.uint8), output_type=tf.int32)
        return (position + num_blocks * length,)

    return tf.while_loop(condition, step, (position,), maximum_iterations=MAX_STEPS)[0]
