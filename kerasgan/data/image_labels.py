"""The labels of annotated images: which are kept, and their order."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

if TYPE_CHECKING:
    from kerasgan.data.annotations import AnnotatedImage, CaptionRow

MAX_NAMED_LABELS = 5  # of a row, in a message
MAX_DIGITS = 100  # of a label that is a number


def add_labels(
    image: "AnnotatedImage",
    labels: Sequence[str],
    row: "CaptionRow",
    report: ReadReport,
    several_labels: str = "first",
) -> None:
    """Adds the labels of a row to its image.

    Args:
        image: is changed in place.
        labels: the different labels of one of its rows, cleaned.
        row: the row.
        report: where labels are counted that are not kept.
        several_labels: see `DataConfig`.

    Raises:
        UserError: `several_labels` is `"refuse"`, and the row has several labels.
    """
    if several_labels == "all":
        image.labels = [*dict.fromkeys([*image.labels, *labels])]
        return
    if len(labels) > 1:
        names = ", ".join(labels[:MAX_NAMED_LABELS])
        if several_labels == "refuse":
            raise UserError(
                f"{row.file}:{row.line} has several labels: {names}. Keep the first"
                " one of each row with data.several_labels=first, or train with"
                " --multi-label. If a separator is part of the names, change"
                " data.label_separators."
            )
        value = f"{row.name}: {names}; the first is kept"
        report.skip("several labels", row.file, row.line, value, bad_rows=0)
    if not image.labels:
        image.labels = [*labels[:1]]
    elif labels and labels[0] != image.label:
        value = f"{row.name}: {labels[0]}; the first label, {image.label}, is kept"
        report.skip("conflicting label", row.file, row.line, value)


def note_several_labels(report: ReadReport) -> None:
    """Adds a note on rows of which only the first label is kept, if there are any.

    Args:
        report: has the count of `add_labels`, and gets the note.
    """
    count = report.skipped["several labels"]
    if count:
        report.note(
            f"{count:,} rows have several labels, and the first is kept: train with"
            " --multi-label to use all, or set data.label_separators if a separator is"
            " part of the names"
        )


def drop_rare_labels(
    images: dict[str, "AnnotatedImage"], min_images: int, report: ReadReport
) -> None:
    """Removes small classes, and the images that have no other label.

    Their rows do not count as bad.

    Args:
        images: images by name, changed in place.
        min_images: least number of images of a class that is kept.
        report: where the removed images are counted.
    """
    counts = Counter(label for image in images.values() for label in image.labels)
    rare = {label for label, count in counts.items() if count < min_images}
    for image in images.values():
        if rare.issuperset(image.labels):
            continue  # dropped below
        kept = [label for label in image.labels if label not in rare]
        if len(kept) < len(image.labels):
            report.skip("rare further label", image.file, image.line, image.name, 0)
        image.labels = kept
    drop_images(
        images, lambda x: rare.issuperset(x.labels), "rare label", report, bad=False
    )


def drop_images(
    images: dict[str, "AnnotatedImage"],
    condition: Callable[["AnnotatedImage"], bool],
    reason: str,
    report: ReadReport,
    bad: bool = True,
) -> None:
    """Removes images, and counts them.

    Args:
        images: images by name, changed in place.
        condition: whether an image is removed.
        reason: see `ReadReport.skip`.
        report: where the removed images are counted.
        bad: whether their rows count as bad.
    """
    for name in [name for name, image in images.items() if condition(image)]:
        image = images.pop(name)
        bad_rows = image.rows if bad else 0
        report.skip(reason, image.file, image.line, name, bad_rows)


def sorted_label_names(images: Mapping[str, "AnnotatedImage"]) -> list[str]:
    """Returns all labels once: numbers in numerical order, then words in order.

    Args:
        images: images by name.
    """
    return sorted({x for image in images.values() for x in image.labels}, key=_order)


def _order(label):
    number = label_number(label)
    return (1, 0, label) if number is None else (0, number, label)


def label_number(label: str) -> int | None:
    """Returns a label as a number, or None if it is a word or negative.

    Python refuses to convert thousands of digits, which are a word, too.

    Args:
        label: of an image.
    """
    return int(label) if label.isdecimal() and len(label) <= MAX_DIGITS else None
