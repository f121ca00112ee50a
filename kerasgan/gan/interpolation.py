"""Interpolations between captions or noise vectors, as a grid and as an animation."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan.files import write_image
from kerasgan.gan.image_files import to_pillow
from kerasgan.gan.image_generator import ImageGenerator
from kerasgan.training.image_grids import save_image_grid

FRAME_MILLISECONDS = 80  # GIF has hundredths of a second
MIN_SIDE = 256  # pixels to which small images are enlarged


def save_interpolation_grid(
    image_generator: ImageGenerator,
    path: str | Path,
    captions: Sequence[str] | None = None,
    rows: int = 6,
    columns: int = 6,
    seed: int = 0,
    truncation: float = 1.0,
) -> Path:
    """Saves a grid whose rows lead from each caption to the next.

    With one caption or none, rows lead from one noise vector to another.

    Args:
        image_generator: generates the images.
        path: of the PNG; missing directories are made.
        captions: n str, for a generator that was trained with captions. A caption that
            repeats the one before counts once.
        rows: number of rows, without captions.
        columns: images a row.
        seed: of the noise.
        truncation: see `ImageGenerator.noise`.

    Returns:
        The path.
    """
    pairs: list[tuple]
    if captions is None:
        pairs = [(None, None)] * rows
    else:
        different = [caption for caption, _ in itertools.groupby(captions)]
        pairs = list(itertools.pairwise(different)) or [(captions[0], captions[0])]
    strips = [
        # Strips between captions share their noise, so that each begins with the last
        # image of the one before.
        image_generator.interpolate(
            start, stop, columns, seed + number * (start == stop), truncation
        )
        for number, (start, stop) in enumerate(pairs)
    ]
    titles = None
    if captions is not None:
        titles = [
            start if start == stop else f"{start} → {stop}" for start, stop in pairs
        ]
    return save_image_grid(path, np.stack(strips), titles)


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
    caption or none, from one noise vector to another and back. It loops without end,
    at 12.5 frames a second.

    Args:
        image_generator: generates the images.
        path: of the GIF or WebP; missing directories are made.
        captions: n str, for a generator that was trained with captions. A caption that
            repeats the one before counts once.
        frames: from one caption to the next.
        seed: of the noise.
        truncation: see `ImageGenerator.noise`.

    Returns:
        The path.

    Raises:
        ValueError: the path does not end in .gif or .webp.
    """
    path = Path(path)
    if path.suffix.lower() not in (".gif", ".webp"):
        raise ValueError(f"path must end in .gif or .webp. Received: {path}")
    images = _looping_images(image_generator, captions, frames, seed, truncation)
    side = images.shape[1] * max(1, MIN_SIDE // images.shape[1])
    first, *others = [
        to_pillow(image).resize((side, side), Image.Resampling.BICUBIC)
        for image in images
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"append_images": others, "duration": FRAME_MILLISECONDS, "loop": 0}
    write_image(path, first, save_all=True, **options)  # a loop of 0 never ends
    return path


def _looping_images(image_generator, captions, frames, seed, truncation):
    stops = [text for text, _ in itertools.groupby(captions or [None])]
    if len(stops) > 1 and stops[0] == stops[-1]:
        stops.pop()
    # The last image of a pair is the first one of the next, and left out.
    if len(stops) == 1:
        images = image_generator.interpolate(*stops * 2, frames + 1, seed, truncation)
        return np.concatenate([images[:-1], images[:0:-1]])
    return np.concatenate(
        [
            image_generator.interpolate(start, stop, frames + 1, seed, truncation)[:-1]
            for start, stop in itertools.pairwise([*stops, stops[0]])
        ]
    )
