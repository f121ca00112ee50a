"""Grids of images with their captions."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 2  # pixels between two images


def save_image_grid(
    path: str | Path,
    rows: np.ndarray,
    captions: Sequence[str] | None = None,
    scale: int | None = None,
) -> Path:
    """Writes a PNG of rows of images, each row with its caption on the left.

    Args:
        path: of the PNG; missing directories are made.
        rows: uint8 `(rows, columns, size, size, channels)`, 1 or 3 channels.
        captions: one str a row, or None.
        scale: integer factor of enlargement; None enlarges small images to about 96
            pixels.

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
    grid = Image.new("RGB", (width, count * (side + GAP) - GAP), "white")
    draw = ImageDraw.Draw(grid)
    font = ImageFont.load_default(max(11, side // 8))
    for row, images in enumerate(rows):
        top = row * (side + GAP)
        if captions is not None:
            _draw_caption(draw, captions[row], (4, top), margin - 10, side, font)
        for column, image in enumerate(images):
            tile = Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST)
            grid.paste(tile, (margin + column * (side + GAP), top))
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    grid.save(path, format="PNG")
    return path


def tile_images(images: np.ndarray, columns: int) -> np.ndarray:
    """Arranges images in rows; images that do not fill a row are left out.

    Args:
        images: `(n, height, width, channels)`.
        columns: images a row, at most n.

    Returns:
        An array `(rows, columns, height, width, channels)`.
    """
    columns = max(1, min(columns, len(images)))
    rows = len(images) // columns
    return images[: rows * columns].reshape(rows, columns, *images.shape[1:])


def mean_distance(rows: np.ndarray) -> float:
    """Computes the mean distance between all pairs of images of a grid.

    Args:
        rows: `(rows, columns, height, width, channels)`.

    Returns:
        The root mean square difference of pixels, in gray levels of 255.
    """
    flat = rows.reshape(rows.shape[0] * rows.shape[1], -1).astype("float32")
    squares = (flat**2).sum(1)
    distances = squares[:, None] + squares[None] - 2 * flat @ flat.T
    pairs = np.sqrt(np.maximum(distances, 0) / flat.shape[1])
    return float(pairs.sum() / max(1, len(flat) * (len(flat) - 1)))


def _draw_caption(draw, caption, corner, width, height, font):
    """Wraps a caption to a width; what does not fit is replaced by an ellipsis."""
    characters = max(1, int(width / font.getlength("n")))
    line_height = font.getbbox("Ag")[3] + 2
    lines = textwrap.wrap(
        caption,
        characters,
        max_lines=max(1, int(height // line_height)),
        placeholder=" …",
    )
    for number, line in enumerate(lines):
        position = (corner[0], corner[1] + number * line_height)
        draw.text(position, line, fill="black", font=font)
