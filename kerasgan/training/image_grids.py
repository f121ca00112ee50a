"""Images beside images, with their captions written out."""

import textwrap
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 2  # pixels between two images


def save_image_grid(path, rows, captions=None, scale=None):
    """Writes a PNG of rows of images, each with its caption on the left.

    Args:
        path: where to; missing folders are made.
        rows: uint8 `(rows, columns, size, size, channels)`, 1 or 3 channels.
        captions: a str a row, or None.
        scale: pixels a pixel; None enlarges small images to about 96.

    Returns:
        The path.
    """
    rows = np.asarray(rows)
    count, columns, size = rows.shape[:3]
    if rows.shape[-1] == 1:
        rows = np.repeat(rows, 3, axis=-1)
    scale = scale or max(1, 96 // size)
    side = size * scale
    margin = 0 if captions is None else max(160, side * 2)
    width = margin + columns * (side + GAP) - GAP
    sheet = Image.new("RGB", (width, count * (side + GAP) - GAP), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(max(11, side // 8))
    for row, images in enumerate(rows):
        top = row * (side + GAP)
        if captions is not None:
            _write(draw, captions[row], (4, top), margin - 10, side, font)
        for column, image in enumerate(images):
            tile = Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(tile, (margin + column * (side + GAP), top))
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, format="PNG")
    return path


def _write(draw, caption, corner, width, height, font):
    """Wraps a caption to a width; what does not fit below is left out, with dots."""
    letters = max(1, int(width / font.getlength("n")))
    line_height = font.getbbox("Ag")[3] + 2
    lines = textwrap.wrap(
        caption, letters, max_lines=max(1, int(height // line_height)), placeholder=" …"
    )
    for number, line in enumerate(lines):
        place = (corner[0], corner[1] + number * line_height)
        draw.text(place, line, fill="black", font=font)
