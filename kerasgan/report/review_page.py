"""`kerasgan review`: a page on which people say whether captions are right."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.data.annotations import clean_text
from kerasgan.errors import UserError
from kerasgan.evaluation.run_predictions import read_predictions
from kerasgan.evaluation.verdicts import CAPTION_ROWS
from kerasgan.report.pages import image_uri, render_page, save_page
from kerasgan.report.run_images import open_test_split, read_images
from kerasgan.runs import Run

REVIEW = "review.html"
MAX_IMAGE_WIDTH = 384  # pixels


def save_review_page(
    run: Run,
    path: str | Path | None = None,
    row: str | None = None,
    count: int | None = None,
    seed: int = 0,
) -> Path:
    """Writes a self-contained HTML page with images, captions and references.

    The page keeps the verdicts in the browser, and downloads them as a table that
    `evaluate_verdicts` reads.

    Args:
        run: a run of train-gan whose captions have been evaluated.
        path: of the page; None: `review.html` in the run.
        row: row of the evaluation whose captions are reviewed; None: the captioner's.
        count: number of images, drawn at random; None for all.
        seed: seed of the draw and of the order.

    Returns:
        The path.

    Raises:
        UserError: the captions have not been evaluated, the row does not exist, the
            images cannot be read, or the page would be too large.
    """
    predictions = read_predictions(run)
    row = row or next((name for name in CAPTION_ROWS if name in predictions), None)
    if row not in predictions:
        raise UserError(
            f"The evaluation has no row {row}. Available: {', '.join(predictions)}."
        )
    test = open_test_split(run)
    references = dict(zip(test.ids, test.captions, strict=True))
    rows = [r for r in predictions[row] if r["image_id"] in references]
    if not rows:
        raise UserError(f"None of the captions in {run.results} has a test image.")
    order = np.random.default_rng(seed).permutation(len(rows))[:count]
    captions = {rows[index]["image_id"]: rows[index]["caption"] for index in order}
    items = [
        {
            "id": image_id,
            "caption": captions[image_id],
            "references": [text for text in references[image_id] if text],
            "image": image_uri(image, MAX_IMAGE_WIDTH),
        }
        for image_id, image in read_images(test, captions).items()
    ]
    path = Path(path) if path else run.path / REVIEW
    return write_review_page(path, run.path, row, items)


def write_review_page(
    path: Path, source: Path, row: str, items: Sequence[Mapping[str, Any]]
) -> Path:
    """Writes a page with any images.

    Args:
        path: of the page.
        source: the run or the index that the captions are of.
        row: which of its captions they are.
        items: dicts with `id`, `caption`, `references`, and `image`, a data URI.

    Returns:
        The path.

    Raises:
        UserError: the page would be too large.
    """
    items = [_without_controls(item) for item in items]
    digest = hashlib.sha256(json.dumps([str(source), row, items]).encode())
    content = {"items": items, "digest": digest.hexdigest()[:16], "row": row}
    script = Path(__file__).with_name("templates") / "review.js"
    html = render_page(
        "review.html",
        script.read_text(encoding="utf-8"),
        title=f"Review: {source.name}",
        items=content,
    )
    return save_page(html, path)


def _without_controls(item):
    """Cleans what the script shows, as `render_page` does with other texts."""
    references = list(map(clean_text, item["references"]))
    caption = clean_text(item["caption"])
    return {**item, "caption": caption, "references": references}
