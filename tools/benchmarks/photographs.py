"""JPEG files like photographs, for the input path."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 500, 375  # as in Flickr30k
QUALITY = 90
DETAIL, NOISE = 4, 6.0  # pixels of the smallest shapes; levels of 255


def photographs(options: SimpleNamespace) -> tuple[Path, list[Path]]:
    """Returns a folder and its JPEG files; without `--images` it draws them.

    Args:
        options: of `bench.py`.
    """
    if options.images:
        folder = Path(options.images)
    else:
        folder = Path(options.scratch) / "photographs"
        count = 40 if options.tiny else 2000
        if not folder.is_dir():
            draw(folder, count)
    return folder, sorted(folder.rglob("*.jpg"))


def draw(folder: Path, count: int) -> None:
    """Draws blurred noise with grain, which compresses like a photograph.

    Args:
        folder: is created.
        count: number of files.
    """
    random = np.random.default_rng(0)
    partial = folder.with_suffix(".partial")
    partial.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        shape = HEIGHT // DETAIL, WIDTH // DETAIL, 3
        image = Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8))
        pixels = np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
        pixels = pixels + random.normal(0, NOISE, pixels.shape).astype("float32")
        image = Image.fromarray(np.clip(pixels, 0, 255).astype("uint8"))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=QUALITY)
        (partial / f"{number:05d}.jpg").write_bytes(buffer.getvalue())
    partial.rename(folder)
