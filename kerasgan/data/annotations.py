"""Images with their captions and labels, as they are read from annotation files."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kerasgan.config.settings import DataConfig
from kerasgan.data.image_labels import (
    add_labels,
    drop_images,
    drop_rare_labels,
    note_several_labels,
    sorted_label_names,
)
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

# With surrogates: JSON can escape them, but UTF-8 cannot encode them. And with those
# that change the direction of the text after them (Unicode's Bidi_Control).
CONTROL_CHARACTERS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)


class CaptionRow(NamedTuple):
    """One row of an annotation file.

    Attributes:
        file: the annotation file.
        line: line number, or the name of the row in the file.
        name: file name of the image, relative to the folder of images.
        captions: captions in the row.
        key: identifies the row among the rows of its image, as the number of the
            caption does. None if rows cannot be identified.
        labels: names of the classes: none, one or several.
        split: name of the published split.
        group: images of one group are kept in the same split.
        read: returns the bytes of an image that is not a file of its own.
        record: identifies the record of a table, if it has several images. They are
            kept in the same split, and classified together.
    """

    file: Path
    line: int | str
    name: str
    captions: tuple[str, ...] = ()
    key: str | None = None
    labels: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None
    read: Callable[[], bytes] | None = None
    record: str | None = None


@dataclass
class AnnotatedImage:
    """One image with the content of all its rows.

    Attributes:
        name: file name of the image, relative to the folder of images; its id.
        file: the annotation file of its first row.
        line: line of its first row.
        captions: cleaned captions of all rows.
        labels: names of its classes, at most one unless all are kept.
        split: name of the published split.
        rows: number of its rows.
        group: see `CaptionRow`.
        read: see `CaptionRow`.
        record: see `CaptionRow`; of several records the first one.
    """

    name: str
    file: Path
    line: int | str
    captions: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    split: str | None = None
    rows: int = 0
    group: str | None = None
    read: Callable[[], bytes] | None = None
    record: str | None = None

    @property
    def label(self) -> str | None:
        """Name of its first class, or None."""
        return self.labels[0] if self.labels else None


@dataclass
class Annotations:
    """The annotations of a data set.

    Attributes:
        layout: name of the layout of the files.
        files: the annotation files; the fingerprint depends on their content.
        image_root: the folder that the images' names are relative to, resolved.
        images: images by id, in the order of the files.
        report: what was repaired and skipped.
        label_names: class names in the order of their numbers, or None.
    """

    layout: str
    files: list[Path]
    image_root: Path
    images: dict[str, AnnotatedImage]
    report: ReadReport
    label_names: list[str] | None = None


def clean_text(text: str) -> str:
    """Removes control characters, also of the direction, and normalizes white space."""
    if not text.isprintable():  # most captions are, and the test is faster
        text = CONTROL_CHARACTERS.sub(" ", text)
    return " ".join(text.split())


def group_rows(
    rows: Iterable[CaptionRow],
    report: ReadReport,
    require_captions: bool = True,
    require_labels: bool = False,
    several_labels: str = "first",
) -> dict[str, AnnotatedImage]:
    """Groups rows by image.

    Args:
        rows: rows of annotation files.
        report: where skipped rows and images are counted.
        require_captions: whether images without captions are skipped.
        require_labels: whether images without a label are skipped.
        several_labels: what becomes of several labels of a row, see `DataConfig`.

    Returns:
        Images by name, in the order of their first rows.
    """
    images: dict[str, AnnotatedImage] = {}
    contents: dict[tuple[str, str | None], tuple] = {}  # by image and key
    captionless: list[CaptionRow] = []
    for row in rows:
        report.rows += 1
        if not row.name:
            value = str(row.captions)
            report.skip("missing file name", row.file, row.line, value)
            continue
        content = row.captions, row.labels
        if row.key is not None and (row.name, row.key) in contents:
            same = contents[row.name, row.key] == content
            reason = "duplicate row" if same else "duplicate id"
            value = f"{row.name} {row.key}"
            report.skip(reason, row.file, row.line, value, bad_rows=0)
            continue
        contents[row.name, row.key] = content
        image = images.get(row.name)
        if image is None:
            image = AnnotatedImage(row.name, row.file, row.line, split=row.split)
            image.group, image.read = row.group, row.read
            images[row.name] = image
        image.record = image.record or row.record
        image.rows += 1
        captions = [text for text in map(clean_text, row.captions) if text]
        image.captions += captions
        if require_captions and not captions:
            captionless.append(row)
        labels = [*dict.fromkeys(filter(None, map(clean_text, row.labels)))]
        add_labels(image, labels, row, report, several_labels)
    _count_empty_captions(captionless, images, report)
    if require_captions:
        drop_images(images, lambda x: not x.captions, "missing caption", report)
    if require_labels:
        drop_images(images, lambda x: not x.labels, "missing label", report)
    return images


def _count_empty_captions(
    captionless: list[CaptionRow], images: dict[str, AnnotatedImage], report: ReadReport
) -> None:
    for row in captionless:
        if images[row.name].captions:  # the others are counted as images
            report.skip("empty caption", row.file, row.line, row.name)


def group_pairs(
    config: DataConfig,
    rows: Iterable[CaptionRow],
    report: ReadReport,
    has_captions: bool,
    has_labels: bool,
) -> tuple[dict[str, AnnotatedImage], list[str] | None]:
    """Groups rows by image, and removes images without what the others have.

    Args:
        config: `keep_uncaptioned`, `label_minimum` and `several_labels`.
        rows: rows of annotation files.
        report: where skipped rows and images are counted.
        has_captions: whether the data set has captions.
        has_labels: whether the data set has labels.

    Returns:
        Images by name, and the names of the classes or None.
    """
    images = group_rows(
        rows,
        report,
        require_captions=has_captions and not config.keep_uncaptioned,
        require_labels=has_labels,
        several_labels=config.several_labels,
    )
    note_several_labels(report)
    if not has_labels:
        return images, None
    drop_rare_labels(images, config.label_minimum, report)
    return images, sorted_label_names(images)


def read_text(path: Path, report: ReadReport) -> str:
    """Reads a text file in one of the usual encodings.

    These are UTF-8 and UTF-16; otherwise Windows-1252 or Latin-1, which is noted.

    Args:
        path: the file.
        report: where an unusual encoding is noted.

    Returns:
        The text of the file.

    Raises:
        UserError: If the file cannot be read or decoded, or is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}") from error
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not text.strip():  # or a byte order mark alone
            message = "is empty. Expected annotations, one row per caption."
            raise UserError(f"{path} {message}")
        if encoding in ("cp1252", "latin-1"):
            report.note(f"{path} is not UTF-8; it was read as {encoding}")
        return text
    raise UserError(f"{path} starts like UTF-16 but cannot be decoded as UTF-16.")


def _encodings(data: bytes) -> list[str]:
    """Returns the encodings to try, in this order."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ["utf-16"]
    # UTF-16 without a byte order mark: annotation files begin with names of columns or
    # images, in whose letters every second byte is zero.
    first, second = data[:8:2], data[1:8:2]
    if len(data) >= 8 and all(first) and not any(second):
        return ["utf-16-le"]
    if len(data) >= 8 and all(second) and not any(first):
        return ["utf-16-be"]
    return ["utf-8-sig", "cp1252", "latin-1"]


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yields `(line number from 1, line)` for the lines that are not blank."""
    # Not splitlines(): captions may contain U+2028 and other unusual line ends.
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.rstrip("\r")
        if line.strip():
            yield number, line
