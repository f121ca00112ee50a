"""Each kind of file, by TensorFlow as by Pillow."""

import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.data.makers import coded, pixels
from tests.export.image_makers import (
    NOISE,
    RANDOM,
    SMOOTH,
    exif,
    graph,
    pillow,
    reader,
    save,
)


def palette(transparency=None):
    image = Image.fromarray(NOISE).quantize(40)
    options = {} if transparency is None else {"transparency": transparency}
    return save(image, "PNG", **options)


def animated():
    frames = [Image.fromarray(np.roll(SMOOTH, n, axis=2)) for n in range(3)]
    return save(frames[0], "GIF", save_all=True, append_images=frames[1:])


def deep(most, kind="PNG"):
    return save(RANDOM.integers(0, most, (20, 30), dtype=np.uint16), kind)


def raw_png(array, passes=((0, 0, 1, 1),), interlaced=0):
    """Pillow writes neither interlaced PNGs nor colours of 16 bits."""
    height, width, channels = array.shape
    depth, kind = 8 * array.itemsize, {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b""
    for column, row, across, down in passes:
        for line in array[row::down, column::across]:
            rows += b"\0" + line.astype(f">u{array.itemsize}").tobytes()
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    head = size + bytes([depth, kind, 0, 0, interlaced])
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big")
        + name
        + data
        + zlib.crc32(name + data).to_bytes(4, "big")
        for name, data in parts
    )


def with_clear(png, *colour):
    """With one colour that is transparent."""
    chunk = b"tRNS" + b"".join(int(value).to_bytes(2, "big") for value in colour)
    chunk += zlib.crc32(chunk).to_bytes(4, "big")
    place = png.index(b"IDAT") - 4
    size = (2 * len(colour)).to_bytes(4, "big")
    return png[:place] + size + chunk + png[place:]


def apng(array):
    """Two images, the first of which is shown by those who know of one alone."""
    frames = [Image.fromarray(array), Image.fromarray(array[::-1].copy())]
    return save(frames[0], "PNG", save_all=True, append_images=frames[1:])


ADAM7 = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)
ADAM7 += (1, 0, 2, 2), (0, 1, 1, 2)
DEEP = RANDOM.integers(0, 65536, (20, 30, 4), dtype=np.uint16)


def bmp32():
    """Pillow writes none without masks; rows are stored from the last on."""
    body = np.dstack([NOISE[..., ::-1], np.full(NOISE.shape[:2], 7, np.uint8)])
    height, width = NOISE.shape[:2]
    numbers = [(54 + body.size, 4), (0, 4), (54, 4), (40, 4), (width, 4), (height, 4)]
    numbers += [(1, 2), (32, 2)] + [(0, 4)] * 6
    head = b"".join(value.to_bytes(size, "little") for value, size in numbers)
    return b"BM" + head + body[::-1].tobytes()


GREY = Image.fromarray(NOISE).convert("L")
ALPHA = np.dstack([NOISE, RANDOM.integers(0, 256, NOISE.shape[:2], dtype=np.uint8)])
FILES = {
    "jpeg": coded(NOISE, quality=90),
    "jpeg 4:4:4": coded(NOISE, subsampling=0),
    "jpeg 4:2:2": coded(NOISE, subsampling=1),
    "jpeg 4:1:1": coded(NOISE, subsampling="4:1:1"),
    "jpeg that restarts": coded(NOISE, restart_marker_blocks=1),
    "jpeg of rgb": coded(NOISE, keep_rgb=True),
    "jpeg of one pixel": coded(NOISE[:1, :1]),
    "jpeg progressive": coded(NOISE, progressive=True),
    "jpeg grey": save(GREY, "JPEG"),
    "jpeg with bytes behind": coded(NOISE) + b"and more",
    "png": coded(NOISE, "PNG"),
    "png interlaced": raw_png(NOISE, ADAM7, 1),
    "png grey": save(NOISE[..., 0], "PNG"),
    "png grey and alpha": save(Image.fromarray(ALPHA).convert("LA"), "PNG"),
    "png alpha": save(ALPHA, "PNG"),
    "png one bit": save(Image.fromarray(NOISE).convert("1"), "PNG"),
    "png two bits": save(GREY, "PNG", bits=2),
    "png palette": palette(),
    "png palette, a clear colour": palette(3),
    "png palette with alpha": palette(bytes(range(0, 200, 5))),
    "png 16 bits": deep(65536),
    "png 16 bits, dark": deep(200),
    "png rgb of 16 bits": raw_png(DEEP[..., :3]),
    "png rgba of 16 bits": raw_png(DEEP),
    "png grey and alpha of 16 bits": raw_png(DEEP[..., 2:]),
    "png of one clear colour": with_clear(coded(NOISE, "PNG"), *NOISE[9, 9]),
    "png of one clear grey": with_clear(save(GREY, "PNG"), GREY.getpixel((9, 9))),
    "png of two bits, one clear": with_clear(save(GREY, "PNG", bits=2), 2),
    "png of 16 bits, one clear grey": with_clear(deep(65536), 7),
    "png of 16 bits, one clear": with_clear(raw_png(DEEP[..., :3]), *DEEP[3, 3, :3]),
    "png animated": apng(NOISE),
    "png animated, with alpha": apng(ALPHA),
    "gif": save(Image.fromarray(NOISE), "GIF"),
    "gif animated": animated(),
    "gif grey": save(NOISE[..., 0], "GIF"),
    "bmp": coded(NOISE, "BMP"),
    "bmp grey": save(NOISE[..., 0], "BMP"),
    "bmp of 32 bits": bmp32(),
    "one pixel": coded(NOISE[:1, :1], "PNG"),
    "one row": coded(NOISE[:1], "PNG"),
    "one column": coded(NOISE[:, :1], "PNG"),
}


# One test each, and not one a file: every test begins with a seed, after which
# TensorFlow makes its graphs anew.


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_the_same_pixels(fit):
    wrong = [
        name
        for name, data in FILES.items()
        if not np.array_equal(graph(data, 16, fit), pillow(data, 16, fit))
    ]
    assert not wrong


def test_large_squares_are_stored_as_jpeg_and_so_is_ours():
    for data in (coded(SMOOTH), coded(NOISE, "PNG"), FILES["png alpha"]):
        np.testing.assert_array_equal(graph(data, 128), pillow(data, 128))
    right = coded(pixels(5, 128, 128), quality=50)
    np.testing.assert_array_equal(graph(right, 128), pillow(right, 128))
    turned = coded(pixels(5, 128, 128), exif=exif(3))
    np.testing.assert_array_equal(graph(turned, 128), pillow(turned, 128))


def test_cmyk_is_off_by_one_level_at_most():
    data = save(Image.fromarray(NOISE).convert("CMYK"), "JPEG", quality=95)
    found = graph(data).astype(int) - pillow(data)
    assert np.abs(found).max() <= 1


def resized(data, start, size):
    """A file that says another size, whose two numbers begin at `start`."""
    return data[:start] + size + data[start + len(size) :]


HUGE = save(Image.new("1", (10_000, 10_000)), "PNG")
SIDE, JPEG = 10_000, coded(SMOOTH)
BAD = {
    "nothing": b"",
    "words": b"no image",
    "a start alone": b"\xff\xd8\xff",
    "half a jpeg": JPEG[: len(JPEG) // 2],
    "a jpeg without its end": JPEG[:-200],
    "half a png": coded(SMOOTH, "PNG")[:-400],
    "half a gif": animated()[:200],
    "half a bmp": coded(SMOOTH, "BMP")[:-400],
    "another format": save(SMOOTH, "WEBP"),
    "too many pixels": HUGE,
    "a jpeg that says so": resized(
        JPEG, JPEG.index(b"\xff\xc0") + 5, 2 * SIDE.to_bytes(2, "big")
    ),
    "a bmp that says so": resized(
        coded(SMOOTH, "BMP"), 18, 2 * SIDE.to_bytes(4, "little")
    ),
    "a bmp with a palette": save(Image.fromarray(NOISE).quantize(9), "BMP"),
}


def test_what_is_no_image_spoils_no_other():
    good = FILES["jpeg"]
    files = [file for bad in BAD.values() for file in (good, bad)]
    images, valid = (found.numpy() for found in reader(16, "crop")(files))
    assert valid.tolist() == [True, False] * len(BAD), list(BAD)
    assert (images[::2] == pillow(good)).all()
    assert not images[1::2].any()


def test_an_empty_batch():
    images, valid = reader(16, "crop")(tf.constant([], tf.string))
    assert images.shape == (0, 16, 16, 3) and valid.shape == (0,)
