"""TensorFlow and Pillow decode the first frame of a GIF to the same pixels."""

import itertools

import numpy as np
from PIL import Image

from tests.export.image_makers import (
    NOISE,
    SMOOTH,
    decode_with_pillow,
    decode_with_tensorflow,
    encode,
    tensorflow_decoder,
)

PALETTE_IMAGE = Image.fromarray(NOISE).quantize(40)
GIF = encode(PALETTE_IMAGE, "GIF")
PALETTE = GIF[13:205]  # 64 colors
PIXELS = GIF[215:]  # after the size of the frame


def build_gif(
    corner=(0, 0),
    size=(50, 37),
    screen=(50, 37),
    global_palette=0x85,
    local_palette=0,
    pixels=PIXELS,
):
    """Builds a GIF of one interlaced frame, whose sizes may be wrong.

    Args:
        corner: of the frame.
        size: of the frame.
        screen: size of the canvas.
        global_palette: flags: 0x80 if there is a palette, plus the power of 2 that is
            half of its length.
        local_palette: the flags of the frame's palette.
        pixels: the end of the file.
    """
    numbers = [number.to_bytes(2, "little") for number in (*screen, *corner, *size)]
    palettes = [
        PALETTE[: 6 << (flags & 7)] * (flags > 0)
        for flags in (global_palette, local_palette)
    ]
    header = b"GIF89a" + b"".join(numbers[:2]) + bytes([global_palette, 0, 0])
    frame = b"," + b"".join(numbers[2:]) + bytes([local_palette | 0x40])
    return header + palettes[0] + frame + palettes[1] + pixels


def split_blocks(lengths):
    """Splits the pixels into blocks of other lengths."""
    rest, data = PIXELS[1:], b""
    while rest[0]:
        data, rest = data + rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    blocks = [PIXELS[:1]]
    while data:
        length = next(lengths)
        blocks.append(bytes([len(data[:length])]) + data[:length])
        data = data[length:]
    return b"".join(blocks) + b"\0;"


def animated_gif(image=SMOOTH):
    frames = [Image.fromarray(np.roll(image, n, axis=1)) for n in range(3)]
    return encode(frames[0], "GIF", save_all=True, append_images=frames[1:])


FILES = {
    "interlaced": GIF,
    "built here": build_gif(),
    "not interlaced": encode(PALETTE_IMAGE, "GIF", interlace=0),
    "grayscale": encode(NOISE[..., 0], "GIF"),
    "animated": animated_gif(),
    "a transparent color": encode(
        PALETTE_IMAGE, "GIF", transparency=PALETTE_IMAGE.getpixel((25, 18))
    ),
    "grayscale, a transparent color": encode(NOISE[..., 0], "GIF", transparency=7),
    "animated and transparent": animated_gif(
        np.dstack([NOISE, NOISE[..., 0] // 128 * 255])
    ),
    "local palette": build_gif(global_palette=0, local_palette=0x85),
    "both palettes": build_gif(global_palette=0x81, local_palette=0x85),
    "more colors than the palette has": build_gif(global_palette=0x83),
    "no palette": build_gif(global_palette=0),
    "a small frame": build_gif((7, 3), screen=(90, 80)),
    "a frame beyond the screen": build_gif((7, 3), screen=(20, 90)),
    "a comment": encode(PALETTE_IMAGE, "GIF", comment=b"a frame, it says " * 99),
    "short blocks": build_gif(pixels=split_blocks(itertools.repeat(1))),
    "blocks of many lengths": build_gif(
        pixels=split_blocks(itertools.cycle(range(1, 256)))
    ),
    "no trailer": GIF[:-1],
    "no end of the blocks": GIF[:-2],
}


def test_pixels_are_equal():
    assert build_gif().replace(b"GIF89a", b"GIF87a") == GIF
    different = [
        name
        for name, data in FILES.items()
        for fit in ("crop", "pad")
        if not np.array_equal(
            decode_with_tensorflow(data, 16, fit), decode_with_pillow(data, 16, fit)
        )
    ]
    assert not different
    transparent = decode_with_pillow(FILES["a transparent color"])
    assert (transparent != decode_with_pillow(GIF)).any()


def is_valid(files):
    return tensorflow_decoder(16, "crop")(files)[1].numpy().tolist()


def test_truncated_files_are_invalid():
    assert not any(is_valid([GIF[:length] for length in range(1, len(GIF) - 2)]))
    assert not any(is_valid([b"GIF88a" + GIF[6:], GIF[:205] + b";" + GIF[205:]]))


def test_sizes_are_checked_before_anything_is_decoded():
    files = [
        build_gif(size=(12_000, 12_000), screen=(1, 1)),
        build_gif(screen=(65_535, 65_535)),
        build_gif((65_000, 65_000)),
    ]
    assert is_valid(files) == [False] * 3


def test_other_frames_are_not_decoded():
    huge_frames = build_gif(size=(65_535, 65_535))[205:-1] * 1000
    data = GIF[:-1] + huge_frames
    np.testing.assert_array_equal(
        decode_with_tensorflow(data), decode_with_pillow(data)
    )


def test_the_number_of_blocks_is_limited():
    """Reading these files block by block would take minutes."""
    lengths = itertools.islice(itertools.cycle([1, 2]), 1_000_000)
    blocks = b"".join(bytes([length]) + b"x" * length for length in lengths)
    files = [
        GIF[:205] + b"!\xfe\0" * 1_000_000 + GIF[205:],
        GIF[:205] + b"!\xfe" + blocks + b"\0" + GIF[205:],
        GIF[:215] + b"\x08" + blocks + b"\0;",
    ]
    assert is_valid(files) == [False] * 3
