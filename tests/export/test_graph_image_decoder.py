"""TensorFlow and Pillow decode each file format to the same pixels."""

import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.data.makers import encoded, pixels
from tests.export.image_makers import (
    NOISE,
    RANDOM,
    SMOOTH,
    build_exif,
    decode_with_pillow,
    decode_with_tensorflow,
    encode,
    tensorflow_decoder,
)


def palette_png(transparency=None):
    image = Image.fromarray(NOISE).quantize(40)
    options = {} if transparency is None else {"transparency": transparency}
    return encode(image, "PNG", **options)


def animated_gif():
    frames = [Image.fromarray(np.roll(SMOOTH, n, axis=2)) for n in range(3)]
    return encode(frames[0], "GIF", save_all=True, append_images=frames[1:])


def grayscale_16_bit_png(end):
    return encode(RANDOM.integers(0, end, (20, 30), dtype=np.uint16), "PNG")


def build_png(array, passes=((0, 0, 1, 1),), interlaced=0):
    """Builds a PNG that Pillow cannot write: interlaced, or with 16 bits a color."""
    height, width, channels = array.shape
    depth, color_type = 8 * array.itemsize, {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b""
    for column, row, column_step, row_step in passes:
        for pixel_row in array[row::row_step, column::column_step]:
            rows += b"\0" + pixel_row.astype(f">u{array.itemsize}").tobytes()
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    header = size + bytes([depth, color_type, 0, 0, interlaced])
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big")
        + name
        + data
        + zlib.crc32(name + data).to_bytes(4, "big")
        for name, data in chunks
    )


def add_transparent_color(png, *color):
    chunk = b"tRNS" + b"".join(int(value).to_bytes(2, "big") for value in color)
    chunk += zlib.crc32(chunk).to_bytes(4, "big")
    position = png.index(b"IDAT") - 4
    size = (2 * len(color)).to_bytes(4, "big")
    return png[:position] + size + chunk + png[position:]


def animated_png(array):
    """Two images; decoders that do not support animation show the first one."""
    frames = [Image.fromarray(array), Image.fromarray(array[::-1].copy())]
    return encode(frames[0], "PNG", save_all=True, append_images=frames[1:])


ADAM7 = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)
ADAM7 += (1, 0, 2, 2), (0, 1, 1, 2)
BITS_16 = RANDOM.integers(0, 65536, (20, 30, 4), dtype=np.uint16)


def bmp_32_bit():
    """Builds a BMP without masks, which Pillow cannot write; the last row is first."""
    body = np.dstack([NOISE[..., ::-1], np.full(NOISE.shape[:2], 7, np.uint8)])
    height, width = NOISE.shape[:2]
    numbers = [(54 + body.size, 4), (0, 4), (54, 4), (40, 4), (width, 4), (height, 4)]
    numbers += [(1, 2), (32, 2)] + [(0, 4)] * 6
    header = b"".join(value.to_bytes(size, "little") for value, size in numbers)
    return b"BM" + header + body[::-1].tobytes()


GRAYSCALE = Image.fromarray(NOISE).convert("L")
ALPHA = np.dstack([NOISE, RANDOM.integers(0, 256, NOISE.shape[:2], dtype=np.uint8)])
FILES = {
    "jpeg": encoded(NOISE, quality=90),
    "jpeg 4:4:4": encoded(NOISE, subsampling=0),
    "jpeg 4:2:2": encoded(NOISE, subsampling=1),
    "jpeg 4:1:1": encoded(NOISE, subsampling="4:1:1"),
    "jpeg with restart markers": encoded(NOISE, restart_marker_blocks=1),
    "jpeg in rgb": encoded(NOISE, keep_rgb=True),
    "jpeg of one pixel": encoded(NOISE[:1, :1]),
    "jpeg progressive": encoded(NOISE, progressive=True),
    "jpeg grayscale": encode(GRAYSCALE, "JPEG"),
    "jpeg with bytes at the end": encoded(NOISE) + b"and more",
    "png": encoded(NOISE, "PNG"),
    "png interlaced": build_png(NOISE, ADAM7, 1),
    "png grayscale": encode(NOISE[..., 0], "PNG"),
    "png grayscale and alpha": encode(Image.fromarray(ALPHA).convert("LA"), "PNG"),
    "png alpha": encode(ALPHA, "PNG"),
    "png one bit": encode(Image.fromarray(NOISE).convert("1"), "PNG"),
    "png two bits": encode(GRAYSCALE, "PNG", bits=2),
    "png palette": palette_png(),
    "png palette, a transparent color": palette_png(3),
    "png palette with alpha": palette_png(bytes(range(0, 200, 5))),
    "png 16 bits": grayscale_16_bit_png(65536),
    "png 16 bits, dark": grayscale_16_bit_png(200),
    "png rgb of 16 bits": build_png(BITS_16[..., :3]),
    "png rgba of 16 bits": build_png(BITS_16),
    "png grayscale and alpha of 16 bits": build_png(BITS_16[..., 2:]),
    "png, a transparent color": add_transparent_color(
        encoded(NOISE, "PNG"), *NOISE[9, 9]
    ),
    "png grayscale, a transparent color": add_transparent_color(
        encode(GRAYSCALE, "PNG"), GRAYSCALE.getpixel((9, 9))
    ),
    "png two bits, a transparent color": add_transparent_color(
        encode(GRAYSCALE, "PNG", bits=2), 2
    ),
    "png 16 bits grayscale, a transparent color": add_transparent_color(
        grayscale_16_bit_png(65536), 7
    ),
    "png 16 bits, a transparent color": add_transparent_color(
        build_png(BITS_16[..., :3]), *BITS_16[3, 3, :3]
    ),
    "png animated": animated_png(NOISE),
    "png animated, with alpha": animated_png(ALPHA),
    "gif": encode(Image.fromarray(NOISE), "GIF"),
    "gif animated": animated_gif(),
    "gif grayscale": encode(NOISE[..., 0], "GIF"),
    "bmp": encoded(NOISE, "BMP"),
    "bmp grayscale": encode(NOISE[..., 0], "BMP"),
    "bmp of 32 bits": bmp_32_bit(),
    "one pixel": encoded(NOISE[:1, :1], "PNG"),
    "one row": encoded(NOISE[:1], "PNG"),
    "one column": encoded(NOISE[:, :1], "PNG"),
}


# One test for all files: after each new seed TensorFlow prepares its graphs again.


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_pixels_are_equal(fit):
    different = [
        name
        for name, data in FILES.items()
        if not np.array_equal(
            decode_with_tensorflow(data, 16, fit), decode_with_pillow(data, 16, fit)
        )
    ]
    assert not different


def test_pixels_of_large_squares_are_equal_although_stored_as_jpeg():
    for data in (encoded(SMOOTH), encoded(NOISE, "PNG"), FILES["png alpha"]):
        np.testing.assert_array_equal(
            decode_with_tensorflow(data, 128), decode_with_pillow(data, 128)
        )
    stored = encoded(pixels(5, 128, 128), quality=50)
    np.testing.assert_array_equal(
        decode_with_tensorflow(stored, 128), decode_with_pillow(stored, 128)
    )
    turned = encoded(pixels(5, 128, 128), exif=build_exif(3))
    np.testing.assert_array_equal(
        decode_with_tensorflow(turned, 128), decode_with_pillow(turned, 128)
    )


def test_cmyk_differs_by_one_level_at_most():
    data = encode(Image.fromarray(NOISE).convert("CMYK"), "JPEG", quality=95)
    difference = decode_with_tensorflow(data).astype(int) - decode_with_pillow(data)
    assert np.abs(difference).max() <= 1


def replace_size(data, start, size):
    """Replaces the width and height of a file, which are stored at `start`."""
    return data[:start] + size + data[start + len(size) :]


HUGE_PNG = encode(Image.new("1", (10_000, 10_000)), "PNG")
HUGE_SIDE, JPEG = 10_000, encoded(SMOOTH)
INVALID_FILES = {
    "empty": b"",
    "text": b"no image",
    "only a signature": b"\xff\xd8\xff",
    "half a jpeg": JPEG[: len(JPEG) // 2],
    "a jpeg without its end": JPEG[:-200],
    # Found by fuzzing: libjpeg skips the marker, Pillow does not.
    "a jpeg with a reserved marker": JPEG[:2] + b"\xff\x01" + JPEG[2:],
    "half a png": encoded(SMOOTH, "PNG")[:-400],
    "half a gif": animated_gif()[:200],
    "half a bmp": encoded(SMOOTH, "BMP")[:-400],
    "another format": encode(SMOOTH, "WEBP"),
    "too many pixels": HUGE_PNG,
    "too many pixels in the header of a jpeg": replace_size(
        JPEG, JPEG.index(b"\xff\xc0") + 5, 2 * HUGE_SIDE.to_bytes(2, "big")
    ),
    "too many pixels in the header of a bmp": replace_size(
        encoded(SMOOTH, "BMP"), 18, 2 * HUGE_SIDE.to_bytes(4, "little")
    ),
    "a bmp with a palette": encode(Image.fromarray(NOISE).quantize(9), "BMP"),
}


def test_invalid_files_do_not_affect_others():
    jpeg = FILES["jpeg"]
    files = [file for invalid in INVALID_FILES.values() for file in (jpeg, invalid)]
    images, valid = (output.numpy() for output in tensorflow_decoder(16, "crop")(files))
    assert valid.tolist() == [True, False] * len(INVALID_FILES), list(INVALID_FILES)
    assert (images[::2] == decode_with_pillow(jpeg)).all()
    assert not images[1::2].any()


def test_an_empty_batch():
    images, valid = tensorflow_decoder(16, "crop")(tf.constant([], tf.string))
    assert images.shape == (0, 16, 16, 3) and valid.shape == (0,)
