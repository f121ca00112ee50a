"""GIFs by TensorFlow as by Pillow: the first frame, whatever comes behind it."""

import itertools

import numpy as np
from PIL import Image

from tests.export.image_makers import NOISE, SMOOTH, graph, pillow, reader, save

PLAIN = Image.fromarray(NOISE).quantize(40)
WHOLE = save(PLAIN, "GIF")
COLOURS, PIXELS = (
    WHOLE[13:205],
    WHOLE[215:],
)  # 64 of them; what follows the frame's size


def gif(
    corner=(0, 0), size=(50, 37), screen=(50, 37), shared=0x85, own=0, pixels=PIXELS
):
    """A GIF of one frame, interlaced, whose sizes need not be true.

    Args:
        corner, size: of the frame.
        shared, own: flags of the tables of colours: 0x80 that there is one, and which
            power of 2 its length is.
    """
    numbers = [number.to_bytes(2, "little") for number in (*screen, *corner, *size)]
    tables = [COLOURS[: 6 << (flags & 7)] * (flags > 0) for flags in (shared, own)]
    head = b"GIF89a" + b"".join(numbers[:2]) + bytes([shared, 0, 0]) + tables[0]
    frame = b"," + b"".join(numbers[2:]) + bytes([own | 0x40]) + tables[1]
    return head + frame + pixels


def in_blocks(lengths):
    """The pixels in blocks of other lengths."""
    rest, data = PIXELS[1:], b""
    while rest[0]:
        data, rest = data + rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    blocks = [PIXELS[:1]]
    while data:
        length = next(lengths)
        blocks.append(bytes([len(data[:length])]) + data[:length])
        data = data[length:]
    return b"".join(blocks) + b"\0;"


def animated(image=SMOOTH):
    frames = [Image.fromarray(np.roll(image, n, axis=1)) for n in range(3)]
    return save(frames[0], "GIF", save_all=True, append_images=frames[1:])


FILES = {
    "interlaced": WHOLE,
    "of our own making": gif(),
    "not interlaced": save(PLAIN, "GIF", interlace=0),
    "grayscale": save(NOISE[..., 0], "GIF"),
    "animated": animated(),
    "a clear colour": save(PLAIN, "GIF", transparency=PLAIN.getpixel((25, 18))),
    "grey with a clear colour": save(NOISE[..., 0], "GIF", transparency=7),
    "animated and clear": animated(np.dstack([NOISE, NOISE[..., 0] // 128 * 255])),
    "colours of its own": gif(shared=0, own=0x85),
    "colours of both": gif(shared=0x81, own=0x85),
    "more colours than the table has": gif(shared=0x83),
    "no table": gif(shared=0),
    "a small frame": gif((7, 3), screen=(90, 80)),
    "a frame beyond the screen": gif((7, 3), screen=(20, 90)),
    "a comment": save(PLAIN, "GIF", comment=b"a frame, it says " * 99),
    "short blocks": gif(pixels=in_blocks(itertools.repeat(1))),
    "blocks of many lengths": gif(pixels=in_blocks(itertools.cycle(range(1, 256)))),
    "no end": WHOLE[:-1],
    "no end of its blocks": WHOLE[:-2],
}


def test_the_same_pixels():
    assert WHOLE == gif().replace(b"GIF89a", b"GIF87a")
    wrong = [
        name
        for name, data in FILES.items()
        for fit in ("crop", "pad")
        if not np.array_equal(graph(data, 16, fit), pillow(data, 16, fit))
    ]
    assert not wrong
    assert (pillow(FILES["a clear colour"]) != pillow(WHOLE)).any()


def valid(files):
    return reader(16, "crop")(files)[1].numpy().tolist()


def test_what_is_cut_is_no_image():
    assert not any(valid([WHOLE[:length] for length in range(1, len(WHOLE) - 2)]))
    assert not any(valid([b"GIF88a" + WHOLE[6:], WHOLE[:205] + b";" + WHOLE[205:]]))


def test_sizes_are_looked_at_before_anything_is_decoded():
    files = [gif(size=(12_000, 12_000), screen=(1, 1)), gif(screen=(65_535, 65_535))]
    assert valid([*files, gif((65_000, 65_000))]) == [False] * 3


def test_frames_behind_the_first_cost_nothing():
    more = gif(size=(65_535, 65_535))[205:-1] * 1000
    first = WHOLE[:-1] + more
    np.testing.assert_array_equal(graph(first), pillow(first))


def test_files_of_many_parts_are_not_searched_for_ever():
    """Each would take minutes, part by part."""
    odd = itertools.cycle([1, 2])
    blocks = b"".join(bytes([n]) + b"x" * n for n in itertools.islice(odd, 1_000_000))
    files = [WHOLE[:205] + b"!\xfe\0" * 1_000_000 + WHOLE[205:]]
    files += [WHOLE[:205] + b"!\xfe" + blocks + b"\0" + WHOLE[205:]]
    files += [WHOLE[:215] + b"\x08" + blocks + b"\0;"]
    assert valid(files) == [False] * 3
