"""What every layout is read into: images with their captions and labels."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

# Half surrogates too: JSON can escape them, and UTF-8 cannot hold them.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class CaptionRow(NamedTuple):
    """One row of an annotation file, as it was read.

    Attributes:
        name: file name of the image, relative to the folder of images.
        key: what no second row of the image may have (its caption's number).
        group: images of one group are never on both sides of a split.
        read: gives the image's bytes where it is no file of its own.
    """

    file: Path
    line: int | str
    name: str
    captions: tuple[str, ...] = ()
    key: str | None = None
    label: str | None = None
    split: str | None = None
    group: str | None = None
    read: Callable[[], bytes] | None = None


@dataclass
class AnnotatedImage:
    """One image with all that its rows say about it."""

    name: str
    file: Path
    line: int | str
    captions: list[str] = field(default_factory=list)
    label: str | None = None
    split: str | None = None
    rows: int = 0
    group: str | None = None
    read: Callable[[], bytes] | None = None


@dataclass
class Annotations:
    """A data set's annotations, whole.

    Attributes:
        layout: which of the known layouts it was.
        files: the annotation files, each of which counts for the fingerprint.
        image_root: the folder that the images' names start from, resolved.
        images: by id, in the order of the files.
        label_names: class names in the order of their numbers, or None.
    """

    layout: str
    files: list[Path]
    image_root: Path
    images: dict[str, AnnotatedImage]
    ledger: ReadReport
    label_names: list[str] | None = None


def clean_text(caption: str) -> str:
    """Without control characters, outer and repeated white space."""
    if not caption.isprintable():  # the usual caption is, and needs no search
        caption = CONTROL.sub(" ", caption)
    return " ".join(caption.split())


def group_rows(
    rows: Iterable[CaptionRow],
    ledger: ReadReport,
    captioned: bool = True,
    labelled: bool = False,
) -> dict[str, AnnotatedImage]:
    """The rows of each image joined; what cannot be used is entered in `ledger`.

    Args:
        captioned: images without any caption are left out.
        labelled: images without a label are left out.
    """
    images: dict[str, AnnotatedImage] = {}
    seen: dict[tuple[str, str | None], tuple] = {}
    blank: list[CaptionRow] = []
    for row in rows:
        ledger.rows += 1
        if not row.name:
            ledger.skip("no image named", row.file, row.line, str(row.captions))
            continue
        said = row.captions, row.label
        if row.key is not None and (row.name, row.key) in seen:
            same = seen[row.name, row.key] == said
            reason = "repeated row" if same else "duplicate id"
            value = f"{row.name} {row.key}"
            ledger.skip(reason, row.file, row.line, value, bad_rows=0)
            continue
        seen[row.name, row.key] = said
        image = images.get(row.name)
        if image is None:
            image = AnnotatedImage(row.name, row.file, row.line, split=row.split)
            image.group, image.read = row.group, row.read
            images[row.name] = image
        image.rows += 1
        captions = [text for text in map(clean_text, row.captions) if text]
        image.captions += captions
        if captioned and not captions:
            blank.append(row)
        _set_label(image, row, ledger)
    _count_blank(blank, images, ledger)
    if captioned:
        _drop(images, lambda image: not image.captions, "no caption", ledger)
    if labelled:
        _drop(images, lambda image: image.label is None, "no label", ledger)
    return images


def _set_label(image: AnnotatedImage, row: CaptionRow, ledger: ReadReport) -> None:
    label = clean_text(row.label or "") or None
    if image.label is None:
        image.label = label
    elif label is not None and label != image.label:
        value = f"{row.name}: {label}, but {image.label} before (kept)"
        ledger.skip("conflicting label", row.file, row.line, value)


def _count_blank(
    blank: list[CaptionRow], images: dict[str, AnnotatedImage], ledger: ReadReport
):
    for row in blank:
        if images[row.name].captions:  # the others are left out as images
            ledger.skip("empty caption", row.file, row.line, row.name)


def drop_rare_labels(
    images: dict[str, AnnotatedImage], minimum: int, ledger: ReadReport
) -> None:
    """Leaves out classes of fewer images than `minimum`; they are not bad rows."""
    counts = Counter(image.label for image in images.values())

    def uncommon(image):
        return counts[image.label] < minimum

    _drop(images, uncommon, "uncommon class", ledger, bad=False)


def _drop(images, unwanted, reason: str, ledger: ReadReport, bad=True) -> None:
    for name in [name for name, image in images.items() if unwanted(image)]:
        image = images.pop(name)
        rows = image.rows if bad else 0
        ledger.skip(reason, image.file, image.line, name, rows)


def label_names_of(images: dict[str, AnnotatedImage]) -> list[str]:
    """Every label once; numbers in their order, then words in theirs."""
    labels = {image.label for image in images.values()} - {None}
    return sorted(labels, key=lambda x: (0, int(x), x) if x.isdecimal() else (1, 0, x))


def read_text(path: Path, ledger: ReadReport) -> str:
    """A text file's text, whatever of the usual encodings it is in.

    UTF-8 or UTF-16; else Windows-1252 or Latin-1, noted.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}") from error
    if not data.strip():
        raise UserError(f"{path} is empty; annotations with one row a caption expected")
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding in ("cp1252", "latin-1"):
            ledger.note(f"{path} is not UTF-8; it was read as {encoding}")
        return text
    raise UserError(f"{path} starts like UTF-16, and cannot be decoded as such")


def _encodings(data: bytes) -> list[str]:
    """Those that are tried, in this order."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ["utf-16"]
    # Without a byte order mark: such files begin with names of columns or images, of
    # whose letters every second byte is zero.
    first, second = data[:8:2], data[1:8:2]
    if len(data) >= 8 and all(first) and not any(second):
        return ["utf-16-le"]
    if len(data) >= 8 and all(second) and not any(first):
        return ["utf-16-be"]
    return ["utf-8-sig", "cp1252", "latin-1"]


def numbered_lines(text: str) -> Iterable[tuple[int, str]]:
    """(line number from 1, line) of the lines that are not blank."""
    # Not splitlines(): captions may hold U+2028 and other exotic line ends.
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.rstrip("\r")
        if line.strip():
            yield number, line
