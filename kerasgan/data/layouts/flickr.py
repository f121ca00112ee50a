"""Readers that the layouts of Flickr30k and Flickr8k share."""

import re
from collections.abc import Iterator
from pathlib import Path

from kerasgan.data.annotations import CaptionRow, numbered_lines, read_text
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

PIPE_HEADER = ["image_name", "comment_number", "comment"]
COMMA_HEADER = ["image", "caption"]
MISSING_DELIMITER = re.compile(r"\s*(\d+)\s+(\S.*)")


def read_token_file(path: Path, report: ReadReport) -> Iterator[CaptionRow]:
    """Reads the original files: lines of `1000092795.jpg#0<TAB>caption`.

    Args:
        path: the file.
        report: where malformed rows are counted.

    Yields:
        One row for each caption.
    """
    for line, text in numbered_lines(read_text(path, report)):
        image, tab, caption = text.partition("\t")
        name, _, number = image.strip().rpartition("#")
        if not tab or not name or not number.isdecimal():
            _skip_malformed(report, path, line, text)
            continue
        yield CaptionRow(path, line, name, (caption,), key=number)


def read_pipe_separated(path: Path, report: ReadReport) -> Iterator[CaptionRow]:
    """Reads Kaggle's results.csv: lines of `image_name| comment_number| comment`.

    Quotes have no meaning in this file. One row of the published file,
    `2199200615.jpg| 4   A dog runs across the grass .`, has lost its second delimiter;
    such rows are repaired.

    Args:
        path: the file.
        report: where repaired and malformed rows are counted.

    Yields:
        One row for each caption.

    Raises:
        UserError: If the header is wrong.
    """
    lines = numbered_lines(read_text(path, report))
    _check_header(path, next(lines)[1], "|", PIPE_HEADER)
    for line, text in lines:
        name, *rest = text.split("|", 2)
        if len(rest) == 1 and (match := MISSING_DELIMITER.fullmatch(rest[0])):
            report.repair("missing delimiter", path, line, text)
            rest = [match[1], match[2]]
        if len(rest) != 2 or not rest[0].strip().isdecimal():
            _skip_malformed(report, path, line, text)
            continue
        yield CaptionRow(path, line, name.strip(), (rest[1],), key=rest[0].strip())


def read_comma_separated(path: Path, report: ReadReport) -> Iterator[CaptionRow]:
    """Reads Kaggle's captions.txt: lines of `image,caption`.

    Captions with commas are quoted.

    Args:
        path: the file.
        report: where malformed rows are counted.

    Yields:
        One row for each caption.

    Raises:
        UserError: If the header is wrong.
    """
    lines = numbered_lines(read_text(path, report))
    _check_header(path, next(lines)[1], ",", COMMA_HEADER)
    for line, text in lines:
        # Line by line, so that an unpaired quote does not affect the lines below.
        name, comma, caption = text.partition(",")
        if not comma:
            _skip_malformed(report, path, line, text)
            continue
        caption = caption.strip()
        if len(caption) > 1 and caption[0] == caption[-1] == '"':
            caption = caption[1:-1].replace('""', '"')
        yield CaptionRow(path, line, name.strip(), (caption,))


def _check_header(path: Path, header: str, separator: str, expected: list[str]) -> None:
    names = [name.strip() for name in header.split(separator)]
    if names != expected:
        raise UserError(
            f"{path}:1: expected the header {separator.join(expected)!r}. "
            f"Received: {header[:200]!r}"
        )


def _skip_malformed(report: ReadReport, path: Path, line: int, text: str) -> None:
    report.rows += 1
    report.skip("malformed row", path, line, text)
