"""Finds the reference of each prediction."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from kerasgan.data.annotations import AnnotatedImage, clean_text
from kerasgan.data.images import IMAGE_SUFFIXES
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.evaluation.annotation_files import AnnotatedFile

# The id in a file name of COCO: COCO_val2014_000000391895.jpg, 000000391895.jpg.
COCO_NUMBER = re.compile(r"(?:COCO_\w+_)?0*(\d+)")


def image_key(name: str) -> str:
    """Returns what identifies an image in files that spell its id differently.

    Args:
        name: an id, a file name or a path.

    Returns:
        The file name without folders and without the suffix of an image; of a file
        name of COCO only the number.
    """
    stem, suffix = os.path.splitext(re.split(r"[/\\]", name)[-1])
    if suffix.lower() not in IMAGE_SUFFIXES:
        stem += suffix
    match = COCO_NUMBER.fullmatch(stem)
    return match[1] if match else stem


def match_predictions(
    predictions: AnnotatedFile,
    references: Mapping[str, AnnotatedImage],
    report: ReadReport,
) -> dict[str, AnnotatedImage]:
    """Finds the reference image of each prediction.

    An id is compared as it is, and otherwise by `image_key`.

    Args:
        predictions: the predictions.
        references: the reference images by id.
        report: where unknown images and further predictions of an image are counted.

    Returns:
        The predictions by the ids of the references.

    Raises:
        UserError: no prediction belongs to a reference image.
    """
    counts = Counter(map(image_key, references))
    ids = {image_key(name): name for name in references}
    ids = {key: name for key, name in ids.items() if counts[key] == 1}
    matched: dict[str, AnnotatedImage] = {}
    for name, image in predictions.images.items():
        reference = name if name in references else ids.get(image_key(name))
        if reference is None:
            report.skip("unknown image", image.file, image.line, name)
        elif reference in matched:
            report.skip("further prediction", image.file, image.line, name)
        else:
            matched[reference] = image
    if not matched:
        raise UserError(
            f"None of the {len(predictions.images):,} images of {predictions.path} is"
            f" among the {len(references):,} references. The first ones are"
            f" {_quoted(predictions.images)} and {_quoted(references)}."
        )
    return matched


def count_missing(
    references: Mapping[str, AnnotatedImage],
    matched: Iterable[str],
    report: ReadReport,
) -> None:
    """Counts references without a prediction, of the splits that were predicted.

    Args:
        references: the reference images by id.
        matched: the ids of those that have a prediction.
        report: where the others are counted.
    """
    matched = set(matched)
    splits = {references[name].split for name in matched}
    for name, image in references.items():
        if name not in matched and image.split in splits:
            report.skip("no prediction", image.file, image.line, name, bad_rows=0)


def _quoted(names):
    return ", ".join(repr(clean_text(name)[:60]) for name in list(names)[:3])
