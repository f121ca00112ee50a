"""Compares two folders of images, such as those of any generator and real ones."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.data.annotations import AnnotatedImage
from kerasgan.data.images import BadImage, read_square_image
from kerasgan.data.read_report import ReadReport
from kerasgan.encoders.image_encoder import BACKBONE_IMAGE_SIZE
from kerasgan.encoders.pooled_features import pooled_features
from kerasgan.errors import UserError
from kerasgan.evaluation.annotation_files import AnnotatedFile
from kerasgan.evaluation.caption_agreement import caption_agreement, embed_pairs
from kerasgan.evaluation.image_metrics import compare_features
from kerasgan.evaluation.match_predictions import match_predictions
from kerasgan.inference.inputs import InferenceInput, inputs_from_paths

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


def evaluate_agreement(
    images: str | Path,
    references: str | Path,
    captions: AnnotatedFile,
    pipeline: CaptioningPipeline,
    seed: int = 0,
    progress: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measures how well images agree with the captions that they were generated from.

    The dual encoder must not have trained the generator.

    Args:
        images: path of the folder of generated images.
        references: path of the folder of real images.
        captions: with the captions of generated images, and perhaps of real ones. An
            image is found by its path in the folder, or by its file name. Of several
            captions the first one counts.
        pipeline: its dual encoder judges.
        seed: see `caption_agreement`, and of the samples.
        progress: called with a message at the beginning of each step.

    Returns:
        `rows`, the results of `caption_agreement`: `generated`, `shuffled`, the
        generated images with captions of others, and `real` if real images have
        captions; `left_out`, which maps reasons to counts, `examples` and `notes`.

    Raises:
        UserError: a folder cannot be read, or too few generated images have different
            captions.
    """
    report, rows = ReadReport(), {}
    for name, folder in (("generated", images), ("real", references)):
        progress(f"captions of {folder}")
        # Captions of other images are expected in the second folder.
        found = report if name == "generated" else ReadReport()
        items = _folder_items(folder, seed, ReadReport())
        texts = _captions_of(items, captions, found, required=name == "generated")
        batches = _read_batches(items, pipeline.image_size, folder, ReadReport())
        pairs = embed_pairs(pipeline, batches, texts, found)
        scores = caption_agreement(*pairs, seed=seed)
        if name == "generated" and not scores:
            raise UserError(f"The images of {images} need at least two captions.")
        if scores:
            rows[name] = scores["matched"]
        if name == "generated":
            rows["shuffled"] = scores["shuffled"]
    return {
        "rows": rows,
        "left_out": dict(report.skipped),
        "examples": report.examples,
        "notes": report.notes,
    }


def _captions_of(
    items: list[InferenceInput],
    captions: AnnotatedFile,
    report: ReadReport,
    required: bool,
) -> dict[str, str]:
    """Returns the first caption of each image of a folder, by its path."""
    files = {item.path: AnnotatedImage(item.path, captions.path, "") for item in items}
    try:
        found = match_predictions(captions, files, report)
    except UserError:
        if required:
            raise
        return {}
    return {path: image.captions[0] for path, image in found.items() if image.captions}


def _folder_features(folder: str | Path, seed: int, report: ReadReport) -> np.ndarray:
    """Returns the features `(n, d)` of the images in a folder, a batch at a time."""
    items = _folder_items(folder, seed, report)
    batches = _read_batches(items, BACKBONE_IMAGE_SIZE, folder, report)
    features = [pooled_features(images, BACKBONE) for _, images in batches]
    found = sum(map(len, features))
    if found < MIN_IMAGES:
        raise UserError(
            f"{folder} has {found} images that can be read. At least {MIN_IMAGES} are"
            " needed."
        )
    return np.concatenate(features)


def _folder_items(
    folder: str | Path, seed: int, report: ReadReport
) -> list[InferenceInput]:
    """Lists the images of a folder, or draws `MAX_IMAGES` of them."""
    if not Path(folder).is_dir():
        raise UserError(f"There is no folder {folder}.")
    items = list(inputs_from_paths([str(folder)], ()))
    if len(items) > MAX_IMAGES:
        random = np.random.default_rng(seed)
        rows = np.sort(random.choice(len(items), MAX_IMAGES, replace=False))
        report.note(f"A sample of {MAX_IMAGES} of {len(items)} images of {folder}")
        items = [items[row] for row in rows]
    return items


def _read_batches(
    items: list[InferenceInput], size: int, folder: str | Path, report: ReadReport
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yields paths of images, and the images as squares, a batch at a time."""
    paths: list[str] = []
    images: list[np.ndarray] = []
    for item in items:
        try:
            images.append(read_square_image(item.read(), size, "crop"))
            paths.append(item.path)
        except BadImage as error:
            report.skip(str(error), str(folder), item.path, item.name)
        if len(images) == BATCH_SIZE:
            yield paths, np.stack(images)
            paths, images = [], []
    if images:
        yield paths, np.stack(images)
