"""Generated images as single files, and as an animation."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan.errors import UserError
from kerasgan.gan.image_generator import ImageGenerator
from kerasgan.gan.nearest_images import NearestImages
from kerasgan.progress import progress_bar

BATCH_SIZE = 64  # images that are in memory at once
TABLE = "images.csv"
FRAME_MILLISECONDS = 80


def save_image_files(
    image_generator: ImageGenerator,
    folder: str | Path,
    captions: Sequence[str] | None = None,
    count: int = 1,
    seed: int = 0,
    truncation: float = 1.0,
    nearest: NearestImages | None = None,
    ids: Sequence[str] = (),
    progress: bool = False,
) -> Path:
    """Saves generated images as PNGs, with a table that the data set `table` reads.

    The table `images.csv` appears when all images are there.

    Args:
        image_generator: generates the images.
        folder: is made; must be empty.
        captions: n str, for a generator that was trained with captions.
        count: images a caption, or in all without captions.
        seed: of the noise.
        truncation: see `ImageGenerator.noise`.
        nearest: adds the nearest training image and its distance to the table.
        ids: ids of the training images, with `nearest`.
        progress: whether a progress bar is shown on standard error.

    Returns:
        The path of the table.

    Raises:
        UserError: the folder is not empty, or cannot be made.
    """
    folder = _make_folder(Path(folder))
    total = count * (1 if captions is None else len(captions))
    partial = folder / f"{TABLE}.partial"
    with (
        open(partial, "w", encoding="utf-8", newline="") as file,
        progress_bar("Generating images", total, progress) as advance,
    ):
        table = csv.writer(file)
        extra = ["nearest", "nearest_distance"] if nearest else []
        table.writerow(["image", "caption", *extra])
        for start in range(0, total, BATCH_SIZE):
            rows = range(start, min(start + BATCH_SIZE, total))
            texts = None if captions is None else [captions[r // count] for r in rows]
            noise = image_generator.noise(len(rows), seed + start, truncation)
            images = image_generator.generate(texts, noise=noise)
            neighbors = nearest.find(images) if nearest else None
            for place, row in enumerate(rows):
                name = f"{row:06d}.png"
                _save_png(folder / name, images[place])
                line = [name, texts[place] if texts else ""]
                if neighbors:
                    found, distance = neighbors[0][place], neighbors[1][place]
                    line += [ids[found], f"{distance:.4f}"]
                table.writerow(line)
            advance(len(rows))
    os.replace(partial, folder / TABLE)
    return folder / TABLE


def save_animation(
    image_generator: ImageGenerator,
    path: str | Path,
    captions: Sequence[str] | None = None,
    frames: int = 24,
    seed: int = 0,
    truncation: float = 1.0,
) -> Path:
    """Saves an interpolation as an animation that returns to its beginning.

    It leads from each caption to the next and from the last to the first; with one
    caption or none, from one noise vector to another and back.

    Args:
        image_generator: generates the images.
        path: of the GIF or WebP.
        captions: n str, for a generator that was trained with captions.
        frames: from one caption to the next.
        seed: of the noise.
        truncation: see `ImageGenerator.noise`.

    Returns:
        The path.
    """
    stops: list[str | None] = list(captions) if captions else [None]
    if len(stops) == 1:
        images = image_generator.interpolate(
            stops[0], stops[0], frames, seed, truncation
        )
        images = np.concatenate([images, images[::-1]])
    else:
        pairs = zip(stops, [*stops[1:], stops[0]], strict=True)
        images = np.concatenate(
            [
                image_generator.interpolate(a, b, frames + 1, seed, truncation)[:-1]
                for a, b in pairs
            ]
        )
    scale = max(1, 256 // images.shape[1])
    frame_images = [_enlarged(image, scale) for image in images]
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The format is that of the suffix. A loop of 0 never ends.
    frame_images[0].save(
        path,
        save_all=True,
        append_images=frame_images[1:],
        duration=FRAME_MILLISECONDS,
        loop=0,
    )
    return path


def _make_folder(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise UserError(f"Cannot make the folder {folder}: {error.strerror}") from error
    if not is_empty:
        raise UserError(f"The folder {folder} is not empty. Name another one.")
    return folder


def _save_png(path, image):
    partial = path.with_suffix(".partial")
    _to_pillow(image).save(partial, format="PNG")
    os.replace(partial, path)


def _enlarged(image, scale):
    pillow_image = _to_pillow(image)
    size = (pillow_image.width * scale, pillow_image.height * scale)
    return pillow_image.resize(size, Image.Resampling.BICUBIC)


def _to_pillow(image):
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
