"""EXIF, read by TensorFlow as by Pillow."""

import struct

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.export.graph_image_headers import (
    STEPS,
    chunks_of_png,
    exif_of_jpeg,
    number,
)
from tests.data.makers import coded
from tests.export.image_makers import SMOOTH, exif, graph, pillow, reader

BYTE, TEXT, SHORT, LONG = 1, 2, 3, 4  # TIFF's kinds of values
QUARTER_TURN = 6


def tiff(order, *entries):
    """A TIFF file of entries `(tag, kind, count, four bytes)`."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    packed = [struct.pack(order + "HHL", *entry[:3]) + entry[3] for entry in entries]
    head = struct.pack(order + "LH", 8, len(entries))
    return start + head + b"".join(packed) + bytes(4)


def turned(order, kind=SHORT, code="H", count=1):
    """An entry that says a quarter turn."""
    value = struct.pack(order + code, QUARTER_TURN).ljust(4, b"\0")
    return 0x0112, kind, count, value


def with_exif(tiff, kind="JPEG"):
    # With a resolution, or Pillow would look for one in the EXIF when it opens a JPEG.
    return coded(SMOOTH, kind, exif=b"Exif\0\0" + tiff, dpi=(72, 72))


def test_exif_turns_images():
    for kind in ("JPEG", "PNG"):
        seen = set()
        for orientation in range(10):
            data = coded(SMOOTH, kind, exif=exif(orientation))
            found = graph(data, fit="pad")
            np.testing.assert_array_equal(found, pillow(data, fit="pad"), f"{data}")
            seen.add(found.tobytes())
        assert len(seen) == 8


def turns(files):
    """Which of some images with an EXIF are turned, by TensorFlow as by Pillow."""
    images, valid = reader(16, "crop")(files)
    assert valid.numpy().all()
    wanted = np.stack([pillow(data) for data in files])
    np.testing.assert_array_equal(images, wanted)
    upright = {kind: pillow(coded(SMOOTH, kind)) for kind in ("JPEG", "PNG")}
    kinds = ["PNG" if data.startswith(b"\x89PNG") else "JPEG" for data in files]
    return [(row != upright[kind]).any() for row, kind in zip(wanted, kinds)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_of_every_whole_number(order):
    entries = [turned(order, *way) for way in ((SHORT, "H"), (LONG, "L"), (8, "h"))]
    entries += [turned(order, 9, "l"), turned(order, count=2)]
    files = [with_exif(tiff(order, entry)) for entry in entries]
    assert turns([*files, with_exif(tiff(order, entries[1]), "PNG")]) == [True] * 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_broken_exif_spoils_no_image(kind):
    whole = tiff("<", turned("<"))
    files = [with_exif(whole[:length], kind) for length in range(len(whole))]
    assert not any(turns(files[:22])) and all(turns(files[22:]))
    far = b"\xff\xff\0\0"
    more = {
        "another start": b"no" + whole[2:],
        "a directory far away": whole[:4] + b"\xff\xff\xff\xff" + whole[8:],
        "more entries than there are": whole[:8] + b"\xff\xff" + whole[10:],
        "no value": tiff("<", turned("<", count=0), turned("<")),
        "two": tiff("<", turned("<"), (0x0112, SHORT, 1, b"\1\0\0\0")),
        "bytes": tiff("<", turned("<", BYTE)),
        "of no kind": tiff("<", turned("<", 99)),
        "behind a text that is not there": tiff(
            "<", (0x010E, TEXT, 9, far), turned("<")
        ),
    }
    found = dict(zip(more, turns([with_exif(data, kind) for data in more.values()])))
    assert [name for name, turn in found.items() if turn] == [
        *("more entries than there are", "no value", "two")
    ]


def test_what_stands_before_the_exif_is_stepped_over():
    plain, whole = coded(SMOOTH), with_exif(tiff(">", turned(">")))
    filled = whole[:2] + b"\xff" * 9 + whole[2:]
    comment = whole[:2] + b"\xff\xfe\0\x09Exif\0\0x" + whole[2:]
    lone = plain[:2] + comment[2:13] + plain[2:]
    short = b"\xff\xe1\0\3Exif\0\0" + tiff(">", turned(">"))  # a segment of one byte
    short = plain[:2] + short + plain[2:]
    assert turns([filled, comment, lone, short]) == [True, True, False, False]


def test_what_reaches_past_the_end():
    for place, length in ((0, 4), (2, 2), (3, 1), (9, 1)):
        with pytest.raises(tf.errors.InvalidArgumentError):
            number(tf.constant(b"abc"), place, length)
    exif = tiff(">", turned(">"))
    jpeg, png = (with_exif(exif, kind) for kind in ("JPEG", "PNG"))
    # What a file that is cut off has of it, never more, and nothing fails.
    for cut in (0, 3, 30, 50, jpeg.index(exif) + 9, len(jpeg)):
        found = tf.function(exif_of_jpeg)(tf.constant(jpeg[:cut])).numpy()
        assert exif.startswith(found) and (len(found) > 8 or cut < 60)
    for cut in (0, 9, 40, png.index(exif) + 9, len(png)):
        _, found = tf.function(chunks_of_png)(tf.constant(png[:cut]))
        assert exif.startswith(found.numpy())


def test_files_of_many_parts_are_not_searched_for_ever():
    """A second, where each part took one: here they are too many."""
    many = 3 * STEPS
    jpeg = with_exif(tiff(">", turned(">")))
    jpeg = jpeg[:2] + b"\xff" * many + jpeg[2:]
    images, valid = reader(16, "crop")([jpeg])
    assert valid.numpy().all()
    np.testing.assert_array_equal(images[0], pillow(coded(SMOOTH)))
