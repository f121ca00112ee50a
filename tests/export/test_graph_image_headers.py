"""TensorFlow and Pillow read the same EXIF orientation."""

import struct

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.export.graph_image_headers import (
    MAX_STEPS,
    read_integer,
    read_jpeg_exif,
    read_png_chunks,
)
from tests.data.makers import encoded
from tests.export.image_makers import (
    SMOOTH,
    build_exif,
    decode_with_pillow,
    decode_with_tensorflow,
    tensorflow_decoder,
)

BYTE, ASCII, SHORT, LONG, SSHORT, SLONG = 1, 2, 3, 4, 8, 9  # field types of TIFF
ORIENTATION, QUARTER_TURN = 0x0112, 6


def build_tiff(byte_order, *entries):
    """Builds a TIFF file of entries `(tag, type, count, four bytes)`."""
    signature = b"II*\0" if byte_order == "<" else b"MM\0*"
    packed = [
        struct.pack(byte_order + "HHL", *entry[:3]) + entry[3] for entry in entries
    ]
    header = struct.pack(byte_order + "LH", 8, len(entries))
    return signature + header + b"".join(packed) + bytes(4)


def quarter_turn(byte_order, field_type=SHORT, struct_format="H", count=1):
    """Builds an entry with the orientation of a quarter turn."""
    value = struct.pack(byte_order + struct_format, QUARTER_TURN).ljust(4, b"\0")
    return ORIENTATION, field_type, count, value


def with_exif(tiff, file_format="JPEG"):
    # Without a resolution, Pillow searches for one in the EXIF when it opens a JPEG.
    return encoded(SMOOTH, file_format, exif=b"Exif\0\0" + tiff, dpi=(72, 72))


def test_orientations_are_applied():
    for file_format in ("JPEG", "PNG"):
        results = set()
        for orientation in range(10):
            data = encoded(SMOOTH, file_format, exif=build_exif(orientation))
            image = decode_with_tensorflow(data, fit="pad")
            expected = decode_with_pillow(data, fit="pad")
            np.testing.assert_array_equal(image, expected, f"{data}")
            results.add(image.tobytes())
        assert len(results) == 8


def is_turned(files):
    """Returns which images are turned, after a comparison of TensorFlow and Pillow."""
    images, valid = tensorflow_decoder(16, "crop")(files)
    assert valid.numpy().all()
    expected = np.stack([decode_with_pillow(data) for data in files])
    np.testing.assert_array_equal(images, expected)
    upright = {
        file_format: decode_with_pillow(encoded(SMOOTH, file_format))
        for file_format in ("JPEG", "PNG")
    }
    formats = ["PNG" if data.startswith(b"\x89PNG") else "JPEG" for data in files]
    return [
        (image != upright[file_format]).any()
        for image, file_format in zip(expected, formats, strict=True)
    ]


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_all_integer_types_are_read(byte_order):
    entries = [
        quarter_turn(byte_order, *arguments)
        for arguments in ((SHORT, "H"), (LONG, "L"), (SSHORT, "h"), (SLONG, "l"))
    ]
    entries.append(quarter_turn(byte_order, count=2))
    files = [with_exif(build_tiff(byte_order, entry)) for entry in entries]
    files.append(with_exif(build_tiff(byte_order, entries[1]), "PNG"))
    assert is_turned(files) == [True] * 6


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_damaged_exif_does_not_make_an_image_invalid(file_format):
    tiff = build_tiff("<", quarter_turn("<"))
    files = [with_exif(tiff[:length], file_format) for length in range(len(tiff))]
    assert not any(is_turned(files[:22])) and all(is_turned(files[22:]))
    far = b"\xff\xff\0\0"
    damaged = {
        "another signature": b"no" + tiff[2:],
        "a directory far away": tiff[:4] + b"\xff\xff\xff\xff" + tiff[8:],
        "fewer entries than counted": tiff[:8] + b"\xff\xff" + tiff[10:],
        "no value": build_tiff("<", quarter_turn("<", count=0), quarter_turn("<")),
        "two": build_tiff("<", quarter_turn("<"), (ORIENTATION, SHORT, 1, b"\1\0\0\0")),
        "bytes": build_tiff("<", quarter_turn("<", BYTE)),
        "an undefined type": build_tiff("<", quarter_turn("<", 99)),
        "after a text past the end": build_tiff(
            "<", (0x010E, ASCII, 9, far), quarter_turn("<")
        ),
    }
    turned = is_turned([with_exif(data, file_format) for data in damaged.values()])
    assert [name for name, turn in zip(damaged, turned, strict=True) if turn] == [
        "fewer entries than counted",
        "no value",
        "two",
    ]


def test_segments_before_the_exif_are_skipped():
    plain = encoded(SMOOTH)
    turned = with_exif(build_tiff(">", quarter_turn(">")))
    padded = turned[:2] + b"\xff" * 9 + turned[2:]
    comment = turned[:2] + b"\xff\xfe\0\x09Exif\0\0x" + turned[2:]
    only_comment = plain[:2] + comment[2:13] + plain[2:]
    # A segment of one byte, followed by what looks like EXIF.
    short = b"\xff\xe1\0\3Exif\0\0" + build_tiff(">", quarter_turn(">"))
    short = plain[:2] + short + plain[2:]
    files = [padded, comment, only_comment, short]
    assert is_turned(files) == [True, True, False, False]


def test_the_end_of_the_file():
    for position, length in ((0, 4), (2, 2), (3, 1), (9, 1)):
        with pytest.raises(tf.errors.InvalidArgumentError):
            read_integer(tf.constant(b"abc"), position, length)
    exif = build_tiff(">", quarter_turn(">"))
    jpeg, png = (with_exif(exif, file_format) for file_format in ("JPEG", "PNG"))
    # The part of the EXIF that is in a truncated file is returned, without an error.
    for end in (0, 3, 30, 50, jpeg.index(exif) + 9, len(jpeg)):
        result = tf.function(read_jpeg_exif)(tf.constant(jpeg[:end])).numpy()
        assert exif.startswith(result) and (len(result) > 8 or end < 60)
    for end in (0, 9, 40, png.index(exif) + 9, len(png)):
        _, result = tf.function(read_png_chunks)(tf.constant(png[:end]))
        assert exif.startswith(result.numpy())


def test_the_number_of_segments_is_limited():
    """With these bytes before it the EXIF is not found."""
    jpeg = with_exif(build_tiff(">", quarter_turn(">")))
    jpeg = jpeg[:2] + b"\xff" * (3 * MAX_STEPS) + jpeg[2:]
    images, valid = tensorflow_decoder(16, "crop")([jpeg])
    assert valid.numpy().all()
    np.testing.assert_array_equal(images[0], decode_with_pillow(encoded(SMOOTH)))
