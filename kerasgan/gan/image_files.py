"""Generated images as single files with a table."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan.errors import UserError
from kerasgan.files import replace, write_image
from kerasgan.gan.image_generator import ImageGenerator
from kerasgan.gan.nearest_images import NearestImages
from kerasgan.progress import progress_bar

BATCH_SIZE = 64  # images that are in memory at once
TABLE = "images.csv"
COLUMNS = ("image", "caption", "seed", "noise", "truncation")
NEAREST_COLUMNS = ("nearest", "nearest_distance")


def save_image_files(
    image_generator: ImageGenerator,
    folder: str | Path,
    captions: Sequence[str] | None = None,
    count: int = 1,
    seed: int = 0,
    truncation: float = 1.0,
    nearest: NearestImages | None = None,
    progress: bool = False,
) -> Path:
    """Saves generated images as PNGs, with a table that the data set `table` reads.

    The files are `00000.png`, `00001.png`, ..., all images of a caption in sequence.
    The table `images.csv` appears when all images are there. Its columns are `image`,
    `caption`, `seed`, `noise` and `truncation`: the row of `ImageGenerator.noise(count,
    seed, truncation)` that the image was generated from, the same for all captions.

    Args:
        image_generator: generates the images.
        folder: is made; must be empty.
        captions: n str, for a generator that was trained with captions.
        count: images a caption, or in all without captions.
        seed: of the noise.
        truncation: see `ImageGenerator.noise`.
        nearest: adds the columns `nearest`, the id of the nearest training image, and
            `nearest_distance`.
        progress: whether a progress bar is shown on standard error.

    Returns:
        The path of the table.

    Raises:
        UserError: the folder is not empty.
        OSError: it cannot be written.
    """
    folder = make_empty_folder(folder)
    noise = image_generator.noise(count, seed, truncation)
    total = count if captions is None else count * len(captions)
    digits = max(5, len(str(total - 1)))
    partial = folder / f"{TABLE}.partial"
    with (
        open(partial, "w", encoding="utf-8", newline="") as file,
        progress_bar("Generating images", total, progress) as advance,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*COLUMNS, *(NEAREST_COLUMNS if nearest else ())])
        for start in range(0, total, BATCH_SIZE):
            rows = range(start, min(start + BATCH_SIZE, total))
            texts = None if captions is None else [captions[r // count] for r in rows]
            noise_rows = [row % count for row in rows]
            images = image_generator.generate(texts, noise=noise[noise_rows])
            names = [f"{row:0{digits}}.png" for row in rows]
            _save_pngs(folder, names, images)
            cells = [names, texts or [""] * len(rows), [seed] * len(rows), noise_rows]
            cells.append([truncation] * len(rows))
            cells += _nearest_cells(nearest, images) if nearest else []
            table.writerows(zip(*cells, strict=True))
            advance(len(rows))
    replace(partial, folder / TABLE)
    return folder / TABLE


def _save_pngs(folder, names, images):
    for name, image in zip(names, images, strict=True):
        write_image(folder / name, to_pillow(image))


def _nearest_cells(nearest, images):
    rows, distances = nearest.find(images)
    return [nearest.ids[row] for row in rows], [f"{x:.4f}" for x in distances]


def make_empty_folder(folder: str | Path) -> Path:
    """Makes a folder, unless it exists and is empty.

    Args:
        folder: its path.

    Returns:
        Its path.

    Raises:
        UserError: it is not empty.
        OSError: it cannot be made.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise UserError(f"The folder {folder} is not empty. Name another one.")
    return folder


def to_pillow(image: np.ndarray) -> Image.Image:
    """Converts an image to one of Pillow.

    Args:
        image: uint8 `(height, width, channels)`, 1 or 3 channels.
    """
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
