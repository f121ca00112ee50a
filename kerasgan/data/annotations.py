"""What every layout is read into: pictures with their captions and labels."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kerasgan.data.ledger import Ledger
from kerasgan.errors import UserError

# Half surrogates too: JSON can escape them, and UTF-8 cannot hold them.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class Row(NamedTuple):
    """One row of an annotation file, as it was read.

    Attributes:
        name: file name of the picture, relative to the folder of pictures.
        key: what no second row of the picture may have (its caption's number).
        group: pictures of one group are never on both sides of a split.
        read: gives the picture's bytes where it is no file of its own.
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
class Picture:
    """One picture with all that its rows say about it."""

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
        image_root: the folder that the pictures' names start from, resolved.
        pictures: by id, in the order of the files.
        label_names: class names in the order of their numbers, or None.
    """

    layout: str
    files: list[Path]
    image_root: Path
    pictures: dict[str, Picture]
    ledger: Ledger
    label_names: list[str] | None = None


def clean(caption: str) -> str:
    """Without control characters, outer and repeated white space."""
    if not caption.isprintable():  # the usual caption is, and needs no search
        caption = CONTROL.sub(" ", caption)
    return " ".join(caption.split())


def join_rows(
    rows: Iterable[Row],
    ledger: Ledger,
    captioned: bool = True,
    labelled: bool = False,
) -> dict[str, Picture]:
    """The rows of each picture joined; what cannot be used is entered in `ledger`.

    Args:
        captioned: pictures without any caption are left out.
        labelled: pictures without a label are left out.
    """
    pictures: dict[str, Picture] = {}
    seen: dict[tuple[str, str | None], tuple] = {}
    blank: list[Row] = []
    for row in rows:
        ledger.rows += 1
        if not row.name:
            ledger.skip("no picture named", row.file, row.line, str(row.captions))
            continue
        said = row.captions, row.label
        if row.key is not None and (row.name, row.key) in seen:
            same = seen[row.name, row.key] == said
            reason = "repeated row" if same else "duplicate id"
            value = f"{row.name} {row.key}"
            ledger.skip(reason, row.file, row.line, value, bad_rows=0)
            continue
        seen[row.name, row.key] = said
        picture = pictures.get(row.name)
        if picture is None:
            picture = Picture(row.name, row.file, row.line, split=row.split)
            picture.group, picture.read = row.group, row.read
            pictures[row.name] = picture
        picture.rows += 1
        captions = [text for text in map(clean, row.captions) if text]
        picture.captions += captions
        if captioned and not captions:
            blank.append(row)
        _set_label(picture, row, ledger)
    _count_blank(blank, pictures, ledger)
    if captioned:
        _drop(pictures, lambda picture: not picture.captions, "no caption", ledger)
    if labelled:
        _drop(pictures, lambda picture: picture.label is None, "no label", ledger)
    return pictures


def _set_label(picture: Picture, row: Row, ledger: Ledger) -> None:
    label = clean(row.label or "") or None
    if picture.label is None:
        picture.label = label
    elif label is not None and label != picture.label:
        value = f"{row.name}: {label}, but {picture.label} before (kept)"
        ledger.skip("conflicting label", row.file, row.line, value)


def _count_blank(blank: list[Row], pictures: dict[str, Picture], ledger: Ledger):
    for row in blank:
        if pictures[row.name].captions:  # the others are left out as pictures
            ledger.skip("empty caption", row.file, row.line, row.name)


def drop_uncommon(pictures: dict[str, Picture], minimum: int, ledger: Ledger) -> None:
    """Leaves out classes of fewer pictures than `minimum`; they are not bad rows."""
    counts = Counter(picture.label for picture in pictures.values())

    def uncommon(picture):
        return counts[picture.label] < minimum

    _drop(pictures, uncommon, "uncommon class", ledger, bad=False)


def _drop(pictures, unwanted, reason: str, ledger: Ledger, bad=True) -> None:
    for name in [name for name, picture in pictures.items() if unwanted(picture)]:
        picture = pictures.pop(name)
        rows = picture.rows if bad else 0
        ledger.skip(reason, picture.file, picture.line, name, rows)


def names_of_labels(pictures: dict[str, Picture]) -> list[str]:
    """Every label once; numbers in their order, then words in theirs."""
    labels = {picture.label for picture in pictures.values()} - {None}
    return sorted(labels, key=lambda x: (0, int(x), x) if x.isdecimal() else (1, 0, x))


def read_text(path: Path, ledger: Ledger) -> str:
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
    # Without a byte order mark: such files begin with names of columns or pictures, of
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
