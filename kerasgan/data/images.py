"""One image from a file's bytes to a checked, upright, square RGB image."""

import contextlib
import io
import warnings

import numpy as np
from PIL import Image, ImageFile

MAX_PIXELS = 64_000_000  # pixels; more is taken for a decompression bomb
# Only formats that Pillow decodes itself: no interpreters (EPS), no stubs.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000")
IMAGE_SUFFIXES = (  # what such files are called
    *(".jpg", ".jpeg", ".jfif", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k"),
)
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")
# Of AVIF, HEIC, SVG, PDF, PostScript and Photoshop, near the beginning.
FOREIGN = (b"ftyp", b"<svg", b"%PDF", b"%!PS", b"8BPS")
DAMAGED = "truncated or damaged"
ORIENTATION = 0x0112  # the EXIF tag
TURNS = {  # its values, and what makes them upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
MIN_JPEG_BYTES = 128  # pixels a side; smaller images are stored without loss


class BadImage(Exception):
    """An image that cannot be used; the message is the reason that is counted."""


@contextlib.contextmanager
def strict_pillow():
    """Pillow's global switches as `decode` needs them, whoever changed them."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    # `decode` has its own limit, and never accepts what Pillow merely warns of.
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = False, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = before


def prepare_image(data: bytes, size: int, fit: str) -> bytes:
    """A file's bytes to the bytes that are stored: square, RGB, JPEG or BMP.

    A JPEG that is already right passes through byte for byte, after having been
    decoded once. Else BMP up to 127 pixels a side, where coding takes longer than
    the resize and saves a third; and JPEG of quality 95, without chroma
    subsampling, from 128 on.

    Args:
        size: width and height of the result in pixels.
        fit: "crop" (the middle), "pad" (with white) or "stretch".

    Raises:
        BadImage: with the reason.
    """
    image, untouched = decode_image(data)
    if untouched and image.size == (size, size):
        return data
    return encode_image(square_image(image, size, fit))


def read_square_image(data: bytes, size: int, fit: str) -> np.ndarray:
    """A file's bytes as training would see the image: uint8 (size, size, 3).

    Raises:
        BadImage: with the reason.
    """
    return np.asarray(decode_image(prepare_image(data, size, fit))[0])


def decode_image(data: bytes) -> tuple[Image.Image, bool]:
    """The upright RGB image, and whether it is just what a plain JPEG holds."""
    if not data:
        raise BadImage("empty file")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise BadImage("too many pixels") from error
    except Exception as error:  # decoders raise what they like on strange bytes
        if data.startswith(SIGNATURES):
            raise BadImage(DAMAGED) from error
        foreign = any(mark in data[:1024] for mark in FOREIGN)
        raise BadImage("unsupported format" if foreign else "not an image") from error
    if image.width * image.height > MAX_PIXELS:
        raise BadImage("too many pixels")
    try:
        image.load()
        orientation = _orientation(image)
        untouched = image.format == "JPEG" and image.mode == "RGB" and orientation == 1
        if orientation in TURNS:
            image = image.transpose(TURNS[orientation])
        return to_rgb(image), untouched
    except BadImage:
        raise
    except Exception as error:
        raise BadImage(DAMAGED) from error


def _orientation(image: Image.Image):
    """EXIF's; 1, upright, where it has none or is broken, which spoils no image.

    `ImageOps.exif_transpose` writes the EXIF anew, and fails on what is broken.
    """
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # as strange as the bytes are
        return 1


def to_rgb(image: Image.Image) -> Image.Image:
    """Any of Pillow's modes as RGB: transparency over white, 16 bits scaled to 8."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_grey(image).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _deep_grey(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, or of floating point in [0, 1], which Pillow would clip at 255.

    The scale is the mode's and not the values', so that dark images stay dark.
    """
    values = np.asarray(image, dtype=np.float64) / (1 if image.mode == "F" else 65535)
    if not (0 <= values.min() and values.max() <= 1):  # so is NaN
        raise BadImage("unknown range of values")
    return Image.fromarray(np.rint(255 * values).astype(np.uint8))


def square_image(image: Image.Image, size: int, fit: str) -> Image.Image:
    """RGB image of any size to `size` × `size`.

    Bilinear with antialiasing, in Pillow's integer arithmetic, so that every machine
    gets the same pixels; `resize.square_in_graph` computes them in TensorFlow.
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
    # Columns, then rows: in one call newer Pillows choose the order, older don't.
    image = image.resize((columns, image.height), Image.Resampling.BILINEAR)
    image = image.resize((columns, rows), Image.Resampling.BILINEAR)
    if image.size != (size, size):
        canvas = Image.new("RGB", (size, size), "white")
        corner = ((size - image.width) // 2, (size - image.height) // 2)
        canvas.paste(image, corner)
        image = canvas
    return image


def encode_image(image: Image.Image) -> bytes:
    """BMP for small images, JPEG for others (see `prepare`)."""
    buffer = io.BytesIO()
    if image.width < MIN_JPEG_BYTES:
        image.save(buffer, "BMP")
    else:
        image.save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()
