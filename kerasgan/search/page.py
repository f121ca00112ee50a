"""A page of images with captions, in one HTML file that needs nothing else."""

import base64
import io
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kerasgan.data.images import (
    BadImage,
    decode_image,
    read_image_file,
    strict_pillow,
)
from kerasgan.data.threads import map_in_threads
from kerasgan.files import write_text
from kerasgan.inference.prediction_writer import escape_unprintable

THUMBNAIL_SIZE = 240  # pixels
MAX_BYTES = 30_000_000  # of all thumbnails on a page
TEMPLATE = "page.html.jinja"


def save_page(
    path: Path,
    title: str,
    sections: Iterable[dict[str, Any]],
    message: Callable[[str], None],
) -> None:
    """Writes an HTML page with thumbnails, as many as a browser can show.

    All texts are escaped, and the page runs no script.

    Args:
        path: of the file.
        title: of the page.
        sections: dicts with `title`, `note` (a text or None), and `results`: dicts with
            `image`, the path of a file, and optionally `score`, `caption` and `state`.
        message: called if images are left out, because they exceed `MAX_BYTES`.
    """
    import jinja2

    source = Path(__file__).with_name(TEMPLATE).read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["visible"] = escape_unprintable
    sections = [dict(section) for section in sections]
    results = [result for section in sections for result in section["results"]]
    images = Counter(result["image"] for result in results)
    thumbnails, folder = _make_thumbnails(images), _common_folder(images)
    note = f"Images in {folder}." if images else "Nothing was found."
    if any(result.get("caption") for result in results):
        note += " Their captions are generated."
    if len(thumbnails) < len(images):
        left_out = (
            f"Only the first {len(thumbnails):,} of {len(images):,} images are shown:"
            f" a page has at most {MAX_BYTES / 1e6:.0f} MB of them."
        )
        note += f" {left_out}"
        message(left_out)

    def short_name(image):
        return os.path.relpath(image, folder)

    content = {"title": title, "note": note, "sections": sections}
    functions = {"link": _file_link, "short_name": short_name}
    html = environment.from_string(source).render(
        thumbnails=thumbnails, **content, **functions
    )
    write_text(path, html)


def _make_thumbnails(counts: Counter[str]) -> dict[str, str | None]:
    """Makes thumbnails of the first images, until they would exceed `MAX_BYTES`.

    Args:
        counts: how often a page shows each image.

    Returns:
        The thumbnails by image; None for one that cannot be used.
    """
    thumbnails: dict[str, str | None] = {}
    size = 0
    with strict_pillow():
        for image, found in map_in_threads(make_thumbnail, counts):
            thumbnail = None if isinstance(found, BadImage) else found
            size += counts[image] * len(thumbnail or "")
            if size > MAX_BYTES:
                break
            thumbnails[image] = thumbnail
    return thumbnails


def _common_folder(images):
    """Returns the folder that all images are in, the working directory without any."""
    folders = {os.path.dirname(os.path.abspath(image)) for image in images}
    return os.path.commonpath(folders or [os.getcwd()])


def make_thumbnail(image: str, size: int = THUMBNAIL_SIZE) -> str:
    """Returns a small JPEG of an image, in base64.

    Args:
        image: the path of the file.
        size: largest width and height, in pixels.

    Raises:
        BadImage: the file cannot be used.
    """
    return base64.b64encode(read_thumbnail(image, size)).decode()


def read_thumbnail(image: str, size: int = THUMBNAIL_SIZE) -> bytes:
    """Returns a small JPEG of an image.

    Args:
        image: the path of the file.
        size: largest width and height, in pixels.

    Raises:
        BadImage: the file cannot be used.
    """
    decoded, _ = decode_image(read_image_file(image))
    decoded.thumbnail((size, size))
    buffer = io.BytesIO()
    decoded.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _file_link(image: str) -> str:
    return Path(image).absolute().as_uri()
