import io

import numpy as np
import pytest
from PIL import Image, ImageFile

from kerasgan.data import images
from kerasgan.data.images import (
    BadImage,
    decode_image,
    prepare_image,
    read_square_image,
    square_image,
    strict_pillow,
)
from tests.data.makers import encoded, pixels

RED, WHITE = [255, 0, 0], [255, 255, 255]


def pixel(data: bytes, size: int = 8) -> list[int]:
    """The middle pixel of a prepared image."""
    image = Image.open(io.BytesIO(prepare_image(data, size, "crop")))
    assert (image.size, image.mode) == ((size, size), "RGB")
    return list(image.getpixel((size // 2, size // 2)))


def save(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "empty file"),
        (b"GIF? no, words", "not an image"),
        (encoded(pixels(0))[:-400], "truncated or damaged"),
        (encoded(pixels(0), "PNG")[:-400], "truncated or damaged"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unsupported format"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "unsupported format"),
        (b"<?xml version='1.0'?>\n<svg/>", "unsupported format"),
    ],
)
def test_bad_images_have_a_reason(data, reason):
    with strict_pillow(), pytest.raises(BadImage, match=f"^{reason}$"):
        prepare_image(data, 8, "crop")


def test_a_decompression_bomb_is_not_decoded(monkeypatch):
    bomb = save(Image.new("1", (20_000, 20_000)), "PNG")
    monkeypatch.setattr(
        ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded")
    )
    with strict_pillow(), pytest.raises(BadImage, match="too many pixels"):
        decode_image(bomb)


def test_pillows_global_switches_are_set_and_restored(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with strict_pillow(), pytest.raises(BadImage, match="truncated"):
        decode_image(encoded(pixels(0))[:-400])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
    assert Image.MAX_IMAGE_PIXELS is not None


def test_every_mode_becomes_rgb():
    solid = Image.new("RGB", (8, 8), "red")
    assert pixel(save(solid, "PNG")) == RED
    assert pixel(save(solid.convert("P"), "PNG")) == RED
    assert pixel(save(solid.convert("P"), "GIF")) == RED
    cmyk = pixel(save(solid.convert("CMYK"), "JPEG", quality=100))
    assert np.abs(np.subtract(cmyk, RED)).max() <= 3
    assert pixel(save(Image.new("L", (8, 8), 77), "PNG")) == [77, 77, 77]
    assert pixel(save(Image.new("1", (8, 8), 1), "PNG")) == WHITE


def test_sixteen_bits_are_scaled_and_not_clipped():
    deep = Image.fromarray(np.full((8, 8), 0x8080, np.uint16))
    assert pixel(save(deep, "PNG")) == [128, 128, 128]
    assert pixel(save(deep, "TIFF")) == [128, 128, 128]


def test_dark_images_of_sixteen_bits_stay_dark():
    dark = Image.fromarray(np.full((8, 8), 200, np.uint16))
    assert pixel(save(dark, "PNG")) == [1, 1, 1]


def test_floating_point_outside_0_to_1_is_rejected():
    def tiff(value):
        return save(Image.fromarray(np.full((8, 8), value, np.float32)), "TIFF")

    assert pixel(tiff(0.5)) == [128, 128, 128]
    for value in (-0.1, 200, np.nan):
        with pytest.raises(BadImage, match="^unknown value range$"):
            decode_image(tiff(value))


def test_transparency_is_blended_with_white():
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert pixel(save(clear, "PNG")) == WHITE
    half = Image.new("RGBA", (8, 8), (255, 0, 0, 128))
    assert pixel(save(half, "PNG")) == [255, 127, 127]
    assert pixel(save(Image.new("LA", (8, 8), (0, 0)), "PNG")) == WHITE
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 255, 0, 255, 0, 0])
    assert pixel(save(palette, "PNG", transparency=1)) == WHITE
    assert pixel(save(palette, "PNG", transparency=b"\xff\x00")) == WHITE
    assert pixel(save(palette, "GIF", transparency=1)) == WHITE


def test_the_first_frame_of_an_animation_is_used():
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    data = save(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert pixel(data) == RED


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exif_rotation_is_applied(kind):
    image = Image.new("RGB", (16, 16), "white")
    image.paste((255, 0, 0), (0, 0, 16, 8))  # the top is red
    exif = Image.Exif()
    exif[0x0112] = 6  # to be rotated by a quarter turn clockwise
    options = {"quality": 95} if kind == "JPEG" else {}
    data = prepare_image(save(image, kind, exif=exif, **options), 16, "crop")
    upright = np.asarray(Image.open(io.BytesIO(data)))
    # The right is red.
    assert upright[8, 14, 1] < 60 and upright[8, 1, 1] > 200


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_broken_exif_is_ignored(kind):
    plain = prepare_image(encoded(pixels(1), kind), 16, "crop")
    for broken in (b"no TIFF file", b"II*\0", b"MM\0*\0\0\0\x08\0\x07"):
        options = {"exif": b"Exif\0\0" + broken, "dpi": (72, 72)}
        assert prepare_image(encoded(pixels(1), kind, **options), 16, "crop") == plain
    # Rotated, beside a value of a wrong type that cannot be written again.
    exif = b"MM\0*\0\0\0\x08\0\x02\1\x12\0\3\0\0\0\1\0\6\0\0"
    exif += b"\1\1\0\2\0\0\0\1x\0\0\0" + bytes(4)
    data = encoded(pixels(1), kind, exif=b"Exif\0\0" + exif)
    assert prepare_image(data, 16, "crop") != plain


def test_only_a_jpeg_of_the_right_size_and_mode_is_unchanged():
    plain = encoded(pixels(0, 48, 48))
    assert prepare_image(plain, 48, "crop") == plain
    assert prepare_image(plain, 32, "crop") != plain
    gray = save(Image.fromarray(pixels(0, 48, 48)).convert("L"), "JPEG")
    assert prepare_image(gray, 48, "crop") != gray
    with pytest.raises(BadImage):
        prepare_image(plain[:-300], 48, "crop")


def test_small_images_are_stored_without_loss_and_large_ones_as_jpeg():
    array = pixels(3, 160, 160)
    image = Image.fromarray(array)
    small = Image.open(io.BytesIO(prepare_image(encoded(array, "PNG"), 64, "crop")))
    assert small.format == "BMP"
    expected = np.asarray(square_image(image, 64, "crop"))
    np.testing.assert_array_equal(np.asarray(small), expected)
    large = Image.open(io.BytesIO(prepare_image(encoded(array, "PNG"), 160, "crop")))
    assert large.format == "JPEG"
    error = np.asarray(large).astype(int) - array
    assert np.abs(error).max() <= 6


def bars() -> Image.Image:
    """Red, green, blue: 30 × 10, each 10 wide."""
    array = np.zeros((10, 30, 3), np.uint8)
    for channel in range(3):
        array[:, 10 * channel : 10 * channel + 10, channel] = 255
    return Image.fromarray(array)


def test_the_three_values_of_fit():
    crop = np.asarray(square_image(bars(), 10, "crop"))
    assert (crop == [0, 255, 0]).all()
    pad = np.asarray(square_image(bars(), 30, "pad"))
    assert (pad[:10] == 255).all() and (pad[20:] == 255).all()
    np.testing.assert_array_equal(pad[10:20], np.asarray(bars()))
    stretch = np.asarray(square_image(bars(), 30, "stretch"))
    assert (stretch[:, 5] == RED).all() and (stretch[:, 25] == [0, 0, 255]).all()


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (7, 5)])
def test_any_shape_becomes_square(fit, shape):
    assert square_image(Image.new("RGB", shape), 12, fit).size == (12, 12)


def test_every_format_that_is_opened_is_known_to_pillow():
    Image.init()
    assert set(images.FORMATS) <= set(Image.OPEN)


@pytest.mark.parametrize(("side", "kind"), [(40, "JPEG"), (130, "JPEG"), (300, "PNG")])
@pytest.mark.parametrize("size", [40, 130])
def test_pixels_are_those_that_are_stored(side, kind, size):
    data = encoded(pixels(1, side, side), kind)
    stored, _ = decode_image(prepare_image(data, size, "crop"))
    assert np.array_equal(read_square_image(data, size, "crop"), np.asarray(stored))
