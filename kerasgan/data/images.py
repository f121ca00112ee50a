"""Reads an image file, and converts it to a checked, upright, square RGB image."""

import contextlib
import io
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

MAX_PIXELS = 64_000_000  # larger images are treated as decompression bombs
MAX_FILE_BYTES = 1 << 28
# Only formats that Pillow decodes itself: no interpreters (EPS), no stubs.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000")
IMAGE_SUFFIXES = (  # of files in these formats
    *(".jpg", ".jpeg", ".jfif", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k"),
)
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")
# Of AVIF, HEIC, SVG, PDF, PostScript and Photoshop, near the beginning of the file.
UNSUPPORTED_SIGNATURES = (b"ftyp", b"<svg", b"%PDF", b"%!PS", b"8BPS")
DAMAGED = "truncated or damaged"
EXIF_ORIENTATION = 0x0112  # the EXIF tag
ORIENTATION_TRANSPOSES = {  # values of the tag, and what makes the image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
MIN_JPEG_SIZE = 128  # pixels a side; smaller images are stored without loss


class BadImage(Exception):
    """An image that cannot be used; the message is the reason, which is counted."""


def read_image_file(path: str | Path) -> bytes:
    """Reads an image file, wherever it is.

    Args:
        path: of the file; links are followed.

    Returns:
        Its content.

    Raises:
        BadImage: If it cannot be read, is too large or not a regular file.
    """
    try:
        check_file_status(os.stat(path))
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise BadImage(getattr(error, "strerror", None) or str(error)) from error


def check_file_status(status: os.stat_result) -> None:
    """Checks a file before it is opened, which would wait for the writer of a FIFO.

    Args:
        status: of the file.

    Raises:
        BadImage: If it is too large or not a regular file.
    """
    if not stat.S_ISREG(status.st_mode):
        raise BadImage("not a regular file")
    if status.st_size > MAX_FILE_BYTES:
        raise BadImage("file too large")


@contextlib.contextmanager
def strict_pillow() -> Iterator[None]:
    """Sets Pillow's global switches as `decode_image` needs them, and restores them."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    # `decode_image` has its own limit, which is stricter than Pillow's warning.
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = False, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = before


def prepare_image(data: bytes, size: int, fit: str) -> bytes:
    """Converts the bytes of a file to the bytes that are stored.

    A JPEG that has the right size and mode is decoded for checking and returned
    unchanged. Other images are stored as BMP up to 127 pixels a side, where encoding a
    JPEG takes longer than the resize and saves a third, and from 128 pixels on as JPEG
    of quality 95 without chroma subsampling.

    Args:
        data: content of an image file.
        size: width and height of the result in pixels.
        fit: "crop" (the middle), "pad" (with white) or "stretch".

    Returns:
        A square RGB image as JPEG or BMP.

    Raises:
        BadImage: If the image cannot be used. The message is the reason.
    """
    image, unchanged = decode_image(data)
    if unchanged and image.size == (size, size):
        return data
    return encode_image(square_image(image, size, fit))


def read_square_image(data: bytes, size: int, fit: str) -> np.ndarray:
    """Converts the bytes of a file to the pixels that are used for training.

    Args:
        data: content of an image file.
        size: width and height of the result in pixels.
        fit: "crop", "pad" or "stretch", see `prepare_image`.

    Returns:
        A uint8 array of shape `(size, size, 3)`, RGB.

    Raises:
        BadImage: If the image cannot be used. The message is the reason.
    """
    image, unchanged = decode_image(data)
    if not (unchanged and image.size == (size, size)):
        image = square_image(image, size, fit)
        if size >= MIN_JPEG_SIZE:  # which is stored with a loss
            image, _ = decode_image(encode_image(image))
    return np.asarray(image)


def decode_image(data: bytes) -> tuple[Image.Image, bool]:
    """Decodes an image and turns it upright.

    Args:
        data: content of an image file.

    Returns:
        The RGB image, and whether its pixels are those of the file, which is then a
        JPEG in RGB without rotation.

    Raises:
        BadImage: If the image cannot be used. The message is the reason.
    """
    if not data:
        raise BadImage("empty file")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise BadImage("too many pixels") from error
    except Exception as error:  # decoders raise any exception on malformed bytes
        if data.startswith(SIGNATURES):
            raise BadImage(DAMAGED) from error
        unsupported = any(mark in data[:1024] for mark in UNSUPPORTED_SIGNATURES)
        reason = "unsupported format" if unsupported else "not an image"
        raise BadImage(reason) from error
    if image.width * image.height > MAX_PIXELS:
        raise BadImage("too many pixels")
    try:
        image.load()
        orientation = _orientation(image)
        unchanged = image.format == "JPEG" and image.mode == "RGB" and orientation == 1
        if orientation in ORIENTATION_TRANSPOSES:
            image = image.transpose(ORIENTATION_TRANSPOSES[orientation])
        return to_rgb(image), unchanged
    except BadImage:
        raise
    except Exception as error:
        raise BadImage(DAMAGED) from error


def _orientation(image: Image.Image) -> int:
    """Returns the EXIF orientation; 1 (upright) if EXIF is missing or damaged.

    `ImageOps.exif_transpose` is not used: it writes EXIF again, and fails on damaged
    data.
    """
    try:
        return image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # any exception is possible on malformed bytes
        return 1


def to_rgb(image: Image.Image) -> Image.Image:
    """Converts an image of any Pillow mode to RGB.

    Transparent images are blended with white; 16 bits are scaled to 8.

    Args:
        image: a Pillow image.

    Returns:
        The image in mode RGB.

    Raises:
        BadImage: If the range of the pixel values is unknown.
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _scale_to_8_bits(image).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _scale_to_8_bits(image: Image.Image) -> Image.Image:
    """Scales 16-bit grayscale, or floating point in [0, 1]; Pillow clips at 255.

    The scale depends on the mode and not on the values, so that dark images stay dark.
    """
    values = np.asarray(image, dtype=np.float64) / (1 if image.mode == "F" else 65535)
    if not (values.min() >= 0 and values.max() <= 1):  # also true for NaN
        raise BadImage("unknown value range")
    return Image.fromarray(np.rint(255 * values).astype(np.uint8))


def square_image(image: Image.Image, size: int, fit: str) -> Image.Image:
    """Resizes an RGB image to a square.

    The filter is bilinear with antialiasing, in Pillow's integer arithmetic, which
    gives the same pixels on every machine. `resize.square_in_graph` computes the same
    in TensorFlow.

    Args:
        image: an RGB image of any size.
        size: width and height of the result in pixels.
        fit: "crop" (the middle), "pad" (with white) or "stretch".

    Returns:
        An RGB image of `size` × `size` pixels.
    """
    width, height = image.size
    if fit == "crop" and width != height:
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    columns = rows = size
    if fit == "pad":
        columns, rows = (
            max(1, round(size * n / max(width, height))) for n in (width, height)
        )
    # Columns before rows: in a single call the order depends on the version of Pillow.
    image = image.resize((columns, image.height), Image.Resampling.BILINEAR)
    image = image.resize((columns, rows), Image.Resampling.BILINEAR)
    if image.size != (size, size):
        canvas = Image.new("RGB", (size, size), "white")
        corner = ((size - image.width) // 2, (size - image.height) // 2)
        canvas.paste(image, corner)
        image = canvas
    return image


def encode_image(image: Image.Image) -> bytes:
    """Encodes a square RGB image as BMP or JPEG, see `prepare_image`."""
    buffer = io.BytesIO()
    if image.width < MIN_JPEG_SIZE:
        image.save(buffer, "BMP")
    else:
        image.save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()
