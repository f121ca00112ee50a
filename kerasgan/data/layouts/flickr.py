"""Readers that the Flickr30k and the Flickr8k layouts share."""

import re
from collections.abc import Iterator
from pathlib import Path

from kerasgan.data.annotations import CaptionRow, numbered_lines, read_text
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

BARS_HEADER = ["image_name", "comment_number", "comment"]
LOST_DELIMITER = re.compile(r"\s*(\d+)\s+(\S.*)")


def read_token(path: Path, ledger: ReadReport) -> Iterator[CaptionRow]:
    """`1000092795.jpg#0<TAB>caption` a line: the original files."""
    for line, text in numbered_lines(read_text(path, ledger)):
        head, tab, caption = text.partition("\t")
        name, _, number = head.strip().rpartition("#")
        if not tab or not name or not number.isdecimal():
            _malformed(ledger, path, line, text)
            continue
        yield CaptionRow(path, line, name, (caption,), key=number)


def read_bars(path: Path, ledger: ReadReport) -> Iterator[CaptionRow]:
    """`image_name| comment_number| comment`: Kaggle's results.csv.

    Quotes mean nothing in it. One row of the published file,
    `2199200615.jpg| 4   A dog runs across the grass .`, lost its second bar; rows
    of that shape are repaired.
    """
    lines = numbered_lines(read_text(path, ledger))
    _check_header(path, next(lines)[1], "|", BARS_HEADER)
    for line, text in lines:
        name, *rest = text.split("|", 2)
        if len(rest) == 1 and (match := LOST_DELIMITER.fullmatch(rest[0])):
            ledger.repair("lost delimiter", path, line, text)
            rest = [match[1], match[2]]
        if len(rest) != 2 or not rest[0].strip().isdecimal():
            _malformed(ledger, path, line, text)
            continue
        yield CaptionRow(path, line, name.strip(), (rest[1],), key=rest[0].strip())


def read_commas(path: Path, ledger: ReadReport) -> Iterator[CaptionRow]:
    """`image,caption`: Kaggle's captions.txt; captions with commas are quoted."""
    lines = numbered_lines(read_text(path, ledger))
    _check_header(path, next(lines)[1], ",", ["image", "caption"])
    for line, text in lines:
        # Line by line, so that an unpaired quote cannot swallow what follows it.
        name, comma, caption = text.partition(",")
        if not comma:
            _malformed(ledger, path, line, text)
            continue
        caption = caption.strip()
        if len(caption) > 1 and caption[0] == caption[-1] == '"':
            caption = caption[1:-1].replace('""', '"')
        yield CaptionRow(path, line, name.strip(), (caption,))


def _check_header(path: Path, header: str, separator: str, wanted: list[str]) -> None:
    found = [name.strip() for name in header.split(separator)]
    if found != wanted:
        raise UserError(
            f"{path}:1: expected the header {separator.join(wanted)!r}, "
            f"found {header[:200]!r}"
        )


def _malformed(ledger: ReadReport, path: Path, line: int, text: str) -> None:
    ledger.rows += 1
    ledger.skip("malformed row", path, line, text)
