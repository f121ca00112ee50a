"""Inputs of a trained run: images by name, in folders, or in a table."""

import hashlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import CaptionRow, clean_text
from kerasgan.data.dataset_spec import resolve_source
from kerasgan.data.image_sources import read_file
from kerasgan.data.images import BadImage, read_image_file
from kerasgan.data.layouts.columns import infer_columns
from kerasgan.data.layouts.embedded_images import embedded_rows, find_embedded
from kerasgan.data.layouts.folders import find_images, resolve_folder
from kerasgan.data.layouts.table import caption_rows, open_table
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError


@dataclass(frozen=True)
class InferenceInput:
    """An image, a text, or both.

    Attributes:
        name: name of the image in the results; None if there is no image.
        text: the text; empty if there is none.
        path: path of the image, relative to `root` if that is given, or its name if it
            is no file of its own.
        root: the folder that the image must not be outside of, resolved, or None.
        reader: reads an image that is no file of its own.
        others: further images of the same row of a table.
    """

    name: str | None
    text: str = ""
    path: str = ""
    root: Path | None = None
    reader: Callable[[], bytes] | None = None
    others: tuple["InferenceInput", ...] = ()

    @property
    def file(self) -> str:
        """Path of the file of the image.

        Raises:
            UserError: If the image is no file of its own.
        """
        if self.reader is not None:
            raise UserError(
                f"{self.name} is in a Parquet file, which only `caption` and `classify`"
                " read. Write the images to files first."
            )
        return os.path.join(self.root or "", self.path)

    def read(self) -> bytes:
        """Reads the image.

        Returns:
            The content of its file.

        Raises:
            BadImage: If it cannot be read, or is outside `root`, too large or not a
                regular file.
        """
        if self.reader is not None:
            return self.reader()
        if not self.path:
            raise BadImage("missing file name")
        if self.root is not None:
            return read_file(self.root, self.path)
        return read_image_file(self.path)


def inputs_from_paths(
    images: Sequence[str], texts: Sequence[str]
) -> Iterator[InferenceInput]:
    """Creates inputs from arguments of the command line.

    Args:
        images: paths of files, and of folders, whose images are all used.
        texts: none, one for all images, or one for each of `images`. Without images,
            each text is an input.

    Yields:
        The inputs; images in a folder are sorted by name.

    Raises:
        UserError: If a folder cannot be read.
    """
    if len(texts) < 2:
        texts = itertools.repeat("".join(texts), len(images) or len(texts))
    pairs = zip(images or itertools.repeat(None), texts, strict=False)
    for image, text in pairs:
        text = _printable(text)
        if image is None:
            yield InferenceInput(None, text)
        elif os.path.isdir(image):
            root = Path(image).resolve()
            for path in find_images(root):
                name = _printable(os.path.join(image, path))
                yield InferenceInput(name, text, path, root)
        else:
            yield InferenceInput(_printable(image), text, image)


def inputs_from_table(
    config: DataConfig, report: ReadReport, join_images: bool = False
) -> Iterator[InferenceInput]:
    """Creates inputs from the rows of a table: an image, the first text, or both.

    Args:
        config: `source`, `image_root` and the columns of a `table`, which may be
            Parquet with images. Columns that are not named are inferred; that of
            images or those of texts may be missing.
        report: where malformed rows are counted.
        join_images: whether a row with several images is one input.

    Yields:
        One input for each row, or for each image.

    Raises:
        UserError: If the table cannot be read or has neither images nor texts.
    """
    source = resolve_source(config)
    shards = find_embedded(config, source)
    if shards:
        rows, root = embedded_rows(config, shards, report), None
    else:
        rows = _table_rows(config, source, report)
        root = resolve_folder(config.image_root or str(source.parent))
    for _, images in itertools.groupby(rows, key=lambda row: (row.file, row.line)):
        inputs = [
            InferenceInput(
                _printable(row.name) or None, _first_text(row), row.name, root, row.read
            )
            for row in images
        ]
        if join_images and len(inputs) > 1:
            name = ";".join(item.name for item in inputs)
            yield replace(inputs[0], name=name, others=tuple(inputs[1:]))
        else:
            yield from inputs


def _table_rows(
    config: DataConfig, source: Path, report: ReadReport
) -> Iterator[CaptionRow]:
    names, records = open_table(source, report)
    columns = infer_columns(config, names, source)
    if not columns.image and not columns.captions:
        raise UserError(
            f"{source}: cannot infer a column of image file names or of texts. "
            f"Received: {', '.join(map(repr, names))}. Name them with --image-column "
            "and --caption-column."
        )
    return caption_rows(source, records, columns)


def _first_text(row: CaptionRow) -> str:
    return next(filter(None, map(clean_text, row.captions)), "")


def inputs_fingerprint(inputs: Iterable[InferenceInput]) -> tuple[int, str]:
    """Returns the number of inputs, and a digest of their names and texts."""
    digest, count = hashlib.sha256(), 0
    for inference_input in inputs:
        content = (inference_input.name, inference_input.text)
        digest.update(ascii(content).encode())
        count += 1
    return count, digest.hexdigest()[:16]


def _printable(name: str) -> str:
    """Replaces the surrogates of names that are not UTF-8."""
    return name.encode(errors="replace").decode()
