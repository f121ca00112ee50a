"""Evaluates the classes of any system: one for each image, or any number."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kerasgan.classification.scores import multi_hot
from kerasgan.data.annotations import AnnotatedImage, sorted_label_names
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.evaluation.annotation_files import AnnotatedRows
from kerasgan.evaluation.classification_metrics import classification_scores
from kerasgan.evaluation.match_predictions import count_missing, match_predictions
from kerasgan.evaluation.multi_label_metrics import (
    decision_scores,
    mean_average_precision,
)

MAX_NAMES = 10  # of classes in a note


def evaluate_classes(
    predicted: AnnotatedRows,
    expected: AnnotatedRows,
    report: ReadReport,
    several_labels: str = "first",
) -> dict[str, Any]:
    """Scores predicted classes.

    If a row of either file has several labels, images have sets of labels, which are
    compared. A prediction without a label is then an empty set.

    Args:
        predicted: the predictions.
        expected: the references.
        report: where images are counted that are left out.
        several_labels: `"all"` to compare sets although no row has several labels, see
            `DataConfig`.

    Returns:
        For one class of an image the results of `classification_scores`. For several
        those of `decision_scores`; and `mean_average_precision`, if the predictions
        have the probabilities of all classes of the references. For the classes of both
        files. And `pairs`, the number of images.

    Raises:
        UserError: the references have no classes, no image has both, or a row has
            several classes and `several_labels` is `"refuse"`.
    """
    if not expected.columns.label:
        raise UserError(
            f"{predicted.path} has classes, but {expected.path} has none. Name their"
            " column with --label-column, or compare captions with --caption-column."
        )
    if several_labels == "first" and _note_several_labels(predicted, expected, report):
        several_labels = "all"
    matched, labeled = _match(predicted, expected, several_labels, report)
    every_image = enumerate([*labeled.values(), *matched.values()])
    names = sorted_label_names({str(n): image for n, image in every_image})
    _note_unknown(matched, labeled, report)
    number_of = {name: number for number, name in enumerate(names)}
    truth, found = (
        [[number_of[label] for label in images[name].labels] for name in matched]
        for images in (labeled, matched)
    )
    if several_labels == "all":
        rows = [predicted.probabilities.get(image.line) for image in matched.values()]
        probabilities = _arrange(rows, expected.label_names, number_of)
        scores = _score_sets(truth, found, probabilities, names, report)
    else:
        scores = classification_scores(np.ravel(truth), np.ravel(found), names)
    return scores | {"pairs": len(matched)}


def _match(
    predicted: AnnotatedRows,
    expected: AnnotatedRows,
    several_labels: str,
    report: ReadReport,
) -> tuple[dict[str, AnnotatedImage], dict[str, AnnotatedImage]]:
    """Returns the predictions by the ids of references, and all references."""
    references = expected.group(report, several_labels).images
    predictions = predicted.group(report, several_labels)
    matched = match_predictions(predictions, references, report)
    labeled = {name: image for name, image in references.items() if image.labels}
    unlabeled = [name for name in matched if name not in labeled]
    _drop(matched, unlabeled, "no reference class", report)
    count_missing(labeled, matched, report)
    if several_labels != "all":
        unlabeled = [name for name, image in matched.items() if not image.labels]
        _drop(matched, unlabeled, "no predicted class", report)
    if not matched:
        raise UserError(f"{predicted.path} has no class of a reference image.")
    return matched, labeled


def _note_several_labels(
    predicted: AnnotatedRows, expected: AnnotatedRows, report: ReadReport
) -> bool:
    """Returns whether a row has several labels, and notes which files have them."""
    single = [file for file in (predicted, expected) if not file.has_several_labels]
    if len(single) == 2:
        return False
    report.note(
        "Images have several classes, which are compared as sets. If ; or | is part of"
        " a name, use --label-separators ''"
    )
    for file in single:
        report.note(f"{file.path} has at most one class in a row: a set of one")
    return True


def _drop(
    images: dict[str, AnnotatedImage],
    names: Iterable[str],
    reason: str,
    report: ReadReport,
) -> None:
    for name in names:
        image = images.pop(name)
        report.skip(reason, image.file, image.line, name)


def _note_unknown(
    matched: Mapping[str, AnnotatedImage],
    labeled: Mapping[str, AnnotatedImage],
    report: ReadReport,
) -> None:
    known = {label for image in labeled.values() for label in image.labels}
    found = {label for image in matched.values() for label in image.labels}
    if found - known:
        names = ", ".join(sorted(found - known)[:MAX_NAMES])
        report.note(f"Predicted, but in no reference: {names}")


def _arrange(
    rows: Sequence[np.ndarray | None],
    row_names: Sequence[str],
    number_of: Mapping[str, int],
) -> np.ndarray:
    """Returns the probabilities `(n, classes)` of all classes, NaN if there is none."""
    probabilities = np.full((len(rows), len(number_of)), np.nan)
    known = [name in number_of for name in row_names]
    columns = [number_of[name] for name in row_names if name in number_of]
    for number, row in enumerate(rows):
        if row is not None:
            probabilities[number, columns] = row[known]
    return probabilities


def _score_sets(
    truth: Sequence[Sequence[int]],
    found: Sequence[Sequence[int]],
    probabilities: np.ndarray,
    names: Sequence[str],
    report: ReadReport,
) -> dict[str, Any]:
    if len(names) < 2:
        raise UserError(f"At least two classes are needed. Received: {names[0]!r}")
    empty = sum(not labels for labels in found)
    if empty:
        report.note(f"Predictions without a class, which are empty sets: {empty:,}")
    labels = multi_hot(truth, len(names))
    scores = decision_scores(labels, multi_hot(found, len(names)), names)
    occurs = labels.any(axis=0)
    is_missing = np.isnan(probabilities[:, occurs])
    if not is_missing.any():
        average_precision = mean_average_precision(labels, probabilities)
        scores["mean_average_precision"] = average_precision
    elif not is_missing.all():
        class_name = names[np.flatnonzero(occurs)[is_missing.any(axis=0)][0]]
        count = is_missing.any(axis=1).sum()
        report.note(
            f"No mAP: {count:,} predictions lack the probability of a class, such as"
            f" {class_name!r}"
        )
    return scores
