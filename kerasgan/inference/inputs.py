"""What a trained run is asked about: images by name, in folders, or in a table."""

import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import clean_text
from kerasgan.data.dataset_spec import source_of
from kerasgan.data.image_sources import inside_root, read_file
from kerasgan.data.images import IMAGE_SUFFIXES, BadImage
from kerasgan.data.layouts.columns import Columns
from kerasgan.data.layouts.folders import existing_folder
from kerasgan.data.layouts.table import open_table, rows
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError


@dataclass(frozen=True)
class InferenceInput:
    """An image, a text, or both.

    Attributes:
        name: of the image, for people; None where there is none.
        text: empty where there is none.
        place: the image's path, below `root` where there is one.
        root: the folder that the image must not lie outside of, resolved.
    """

    name: str | None
    text: str = ""
    place: str = ""
    root: Path | None = None

    def read(self) -> bytes:
        """The image's file; BadImage if it cannot or must not be read."""
        if not self.place:
            raise BadImage("no image named")
        if self.root is not None:
            return read_file(self.root, self.place)
        try:
            return Path(self.place).read_bytes()
        except OSError as error:
            raise BadImage(error.strerror or str(error)) from error


def inputs_from_paths(
    images: Sequence[str], texts: Sequence[str]
) -> Iterator[InferenceInput]:
    """Images as the command line names them: files, and folders whole.

    Args:
        texts: none, one for all, or one for each of `images`; without images
            they are asked about alone.
    """
    if len(texts) < 2:
        texts = itertools.repeat("".join(texts), len(images) or len(texts))
    for image, text in zip(images or itertools.repeat(None), texts):
        if image is None:
            yield InferenceInput(None, _printable(text))
        elif os.path.isdir(image):
            root = Path(image).resolve()
            for place in _walk(str(root)):
                name = _printable(os.path.join(image, place))
                yield InferenceInput(name, _printable(text), place, root)
        else:
            yield InferenceInput(_printable(image), _printable(text), image)


def _walk(root: str) -> Iterator[str]:
    """Names below a folder, in their order: all that are called like images.

    Linked folders are not walked: what lies in `root` has its own name, and what
    does not is named for `Asked.read` to refuse, like a folder that cannot be listed.
    """
    waiting = [""]
    while waiting:
        name = waiting.pop()
        path = os.path.join(root, name)
        if name and os.path.islink(path) and os.path.isdir(path):
            if not inside_root(os.path.realpath(path), root):
                yield name
        elif os.path.isdir(path):
            try:
                found = sorted(os.listdir(path), reverse=True)
            except OSError as error:
                if not name:
                    raise UserError(f"Cannot read {root}: {error.strerror}") from error
                yield name
            else:
                waiting += [os.path.join(name, base) for base in found]
        elif name.lower().endswith(IMAGE_SUFFIXES):
            yield name


def inputs_from_table(
    config: DataConfig, ledger: ReadReport
) -> Iterator[InferenceInput]:
    """The rows of a table, each with its image, its first text, or both.

    Args:
        config: `source`, `image_root` and the columns of a `table`; whichever of
            images and texts it does not name is looked for, and may be missing.
        ledger: where malformed rows are entered.

    Raises:
        UserError: no table, or neither images nor texts in it.
    """
    source = source_of(config)
    names, records = open_table(source, ledger)
    columns = Columns.find(config, names, source)
    if not columns.image and not columns.captions:
        raise UserError(
            f"{source}: none of its columns is plainly an image's file name or a "
            f"text ({', '.join(map(repr, names))}). Name them with --image-column "
            "and --caption-column."
        )
    root = existing_folder(config.image_root or str(source.parent))
    for row in rows(source, records, columns):
        text = next(filter(None, map(clean_text, row.captions)), "")
        yield InferenceInput(_printable(row.name) or None, text, row.name, root)


def inputs_fingerprint(asked: Iterable[InferenceInput]) -> tuple[int, str]:
    """How many there are, and a digest of their names and texts."""
    digest, count = hashlib.sha256(), 0
    for one in asked:
        digest.update(ascii((one.name, one.text)).encode())
        count += 1
    return count, digest.hexdigest()[:16]


def _printable(name: str) -> str:
    """Without the half surrogates of names that are not UTF-8."""
    return name.encode(errors="replace").decode()
