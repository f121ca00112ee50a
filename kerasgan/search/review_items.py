"""The images of an index with captions and references, for people who review them."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from kerasgan.data.annotations import clean_text
from kerasgan.data.images import BadImage, strict_pillow
from kerasgan.data.read_report import ReadReport
from kerasgan.data.threads import map_in_threads
from kerasgan.errors import UserError
from kerasgan.search.index_files import file_state
from kerasgan.search.page import make_thumbnail
from kerasgan.search.search_index import SearchIndex
from kerasgan.search.sources import list_references

IMAGE_SIZE = 384  # pixels


def review_items(
    index: SearchIndex, count: int, seed: int, report: ReadReport
) -> list[dict[str, Any]]:
    """Draws images of an index at random.

    Args:
        index: the index.
        count: number of images at most.
        seed: of the draw and of the order.
        report: where images that are deleted, changed since they were captioned, or
            damaged are counted, and malformed rows of tables.

    Returns:
        Dicts with `id` (the path of the image), `caption`, `references`, those in the
        tables that the index was built from, and `image`, a data URI.

    Raises:
        UserError: no image can be shown.
    """
    references = list_references(index.manifest["sources"], report)
    items = []
    for record, thumbnail in islice(_read_images(index, seed, report), count):
        path = record["image"]
        items.append(
            {
                "id": path,
                "caption": record["caption"],
                "references": list(dict.fromkeys(references.get(path, ()))),
                "image": f"data:image/jpeg;base64,{thumbnail}",
            }
        )
    if not items:
        raise UserError(f"None of the images of {index.path} can be shown.")
    return items


def captions_by_image(index: SearchIndex) -> dict[str, dict[str, str]]:
    """Returns the captions of all images, as `summarize_verdicts` takes them.

    Args:
        index: the index.
    """
    row = index.manifest["decoding"]
    return {row: {clean_text(item["image"]): item["caption"] for item in index.data}}


def _read_images(index, seed, report) -> Iterator[tuple[dict[str, Any], str]]:
    order = np.random.default_rng(seed).permutation(len(index.data))
    records = (index.data.records([row])[0] for row in order)
    with strict_pillow():
        for record, thumbnail in map_in_threads(_read_image, records):
            if isinstance(thumbnail, BadImage):
                report.skip(str(thumbnail), index.path, "", record["image"])
            else:
                yield record, thumbnail


def _read_image(record):
    state = file_state(record)
    if state != "unchanged":
        raise BadImage(f"{state} since it was indexed")
    return make_thumbnail(record["image"], IMAGE_SIZE)
