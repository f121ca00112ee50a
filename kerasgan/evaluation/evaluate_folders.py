"""Compares two folders of images, such as those of any generator and real ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.data.images import BadImage, read_square_image
from kerasgan.data.read_report import ReadReport
from kerasgan.encoders.image_encoder import BACKBONE_IMAGE_SIZE
from kerasgan.encoders.pooled_features import pooled_features
from kerasgan.errors import UserError
from kerasgan.evaluation.image_metrics import compare_features
from kerasgan.inference.inputs import inputs_from_paths

MAX_IMAGES = 5000  # of each folder
MIN_IMAGES = 8  # KID and the nearest neighbors need a few
BATCH_SIZE = 64
BACKBONE = "efficientnet-lite0"


def evaluate_folders(
    images: str | Path,
    references: str | Path,
    seed: int = 0,
    progress: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Compares the images of any generator with real ones.

    Both are cropped to a square, resized to 224 pixels, and compared by the pooled
    features of EfficientNet-Lite0, divided by their root mean square over the
    references.

    Args:
        images: path of a folder, which is searched at any depth.
        references: path of the folder of reference images.
        seed: of the samples, if a folder has more than `MAX_IMAGES` images.
        progress: called with a message at the beginning of each step.

    Returns:
        `features`; `images` and `references`, their numbers; `sets`, which has the
        results of `compare_features` for the `generated` images, and for `real` ones:
        one half of the references, compared with the other half; `left_out`, which
        maps reasons to counts, and `examples` of them.

    Raises:
        UserError: a folder cannot be read, or has fewer than eight images; or the
            package with the weights is not installed.
    """
    report = ReadReport()
    features = {}
    for name, folder in (("generated", images), ("references", references)):
        progress(f"images of {folder}")
        features[name] = _folder_features(folder, seed, report)
    scale = np.sqrt(np.mean(features["references"] ** 2))
    generated, real = features["generated"] / scale, features["references"] / scale
    sets = {"generated": compare_features(real, generated, seed)}
    if len(real) >= 2 * MIN_IMAGES:
        halves = np.random.default_rng(seed).permutation(len(real))
        left, right = np.array_split(halves, 2)
        sets["real"] = compare_features(real[left], real[right], seed)
    return {
        "features": f"pooled, of {BACKBONE}",
        "images": len(generated),
        "references": len(real),
        "seed": seed,
        "sets": sets,
        "left_out": dict(report.skipped),
        "examples": report.examples,
        "notes": report.notes,
    }


def _folder_features(folder: str | Path, seed: int, report: ReadReport) -> np.ndarray:
    """Returns the features `(n, d)` of the images in a folder, a batch at a time."""
    if not Path(folder).is_dir():
        raise UserError(f"There is no folder {folder}.")
    items = list(inputs_from_paths([str(folder)], ()))
    if len(items) > MAX_IMAGES:
        random = np.random.default_rng(seed)
        rows = np.sort(random.choice(len(items), MAX_IMAGES, replace=False))
        report.note(f"A sample of {MAX_IMAGES} of {len(items)} images of {folder}")
        items = [items[row] for row in rows]
    features, batch = [], []
    for item in items:
        try:
            batch.append(read_square_image(item.read(), BACKBONE_IMAGE_SIZE, "crop"))
        except BadImage as error:
            report.skip(str(error), str(folder), item.path, item.name)
        if len(batch) == BATCH_SIZE:
            features.append(pooled_features(np.stack(batch), BACKBONE))
            batch = []
    if batch:
        features.append(pooled_features(np.stack(batch), BACKBONE))
    found = sum(map(len, features))
    if found < MIN_IMAGES:
        raise UserError(
            f"{folder} has {found} images that can be read. At least {MIN_IMAGES} are"
            " needed."
        )
    return np.concatenate(features)
