"""Checks and squares all images, and stores them in scratch files."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kerasgan.data.dataset_spec import DatasetSpec
from kerasgan.data.image_sources import LoadedImage
from kerasgan.data.images import BadImage, strict_pillow
from kerasgan.data.read_report import ReadReport
from kerasgan.data.threads import map_in_threads


@dataclass(frozen=True)
class PreparedImage:
    """An image that passed all checks; its encoded bytes are in a scratch file.

    Attributes:
        id: id of the image.
        file: path of the scratch file.
        start: position of its bytes in the scratch file.
        length: number of its bytes.
        digest: SHA-256 of the original file.
        captions: captions of the image.
        labels: names of its classes.
        split: name of its published split, or None.
        group: images of one group are kept in the same split.
        record: see `CaptionRow`.
    """

    id: str
    file: str
    start: int
    length: int
    digest: str
    captions: tuple[str, ...]
    labels: tuple[str, ...]
    split: str | None
    group: str | None = None
    record: str | None = None

    def group_keys(self, include_captions: bool = False) -> list[str]:
        """Returns the keys that no two images of different splits may share.

        Args:
            include_captions: whether captions are keys, besides the digest, the group
                and the record.
        """
        keys = [self.digest, *filter(None, [self.group])]
        if self.record is not None:
            keys.append(f"record {self.record}")
        if include_captions:
            keys += [f"caption {text.casefold()}" for text in self.captions]
        return keys


# The id of an image, and the image or the reason why it cannot be used.
Outcome = tuple[str, PreparedImage | BadImage]


def store_images(
    spec: DatasetSpec, ids: Sequence[str], path: Path, file: BinaryIO
) -> Iterator[Outcome]:
    """Loads images and writes them to a file, so that memory holds only a few of them.

    Args:
        spec: the data set.
        ids: of the images.
        path: of the scratch file.
        file: the scratch file, opened for writing.

    Yields:
        An `Outcome` for each image, in order.
    """
    start = 0
    with strict_pillow():
        for name, loaded in map_in_threads(spec.images.load, ids):
            if isinstance(loaded, BadImage):
                yield name, loaded
                continue
            file.write(loaded.data)
            yield name, _prepared_image(spec, loaded, path, start)
            start += len(loaded.data)


def read_images(
    images: Iterable[PreparedImage],
) -> Iterator[tuple[PreparedImage, bytes]]:
    """Reads images from their scratch files.

    Args:
        images: neighbors in a file should be neighbors here.

    Yields:
        Each image with its encoded bytes.
    """
    for path, group in itertools.groupby(images, lambda image: image.file):
        with open(path, "rb") as file:
            for image in group:
                file.seek(image.start)
                yield image, file.read(image.length)


def collect_images(
    spec: DatasetSpec, outcomes: Iterable[Outcome], report: ReadReport
) -> list[PreparedImage]:
    """Separates the images that can be used from the others.

    Args:
        spec: the data set.
        outcomes: of all images, in the order of the data set.
        report: where images that cannot be used are counted.

    Returns:
        The images that can be used, in order.
    """
    prepared: list[PreparedImage] = []
    for name, outcome in outcomes:
        if isinstance(outcome, BadImage):
            _skip(spec, report, name, str(outcome))
        else:
            prepared.append(outcome)
    return prepared


def _prepared_image(
    spec: DatasetSpec, loaded: LoadedImage, path: Path, start: int
) -> PreparedImage:
    split = group = record = None
    if spec.images.annotations:
        annotation = spec.images.annotations.images[loaded.id]
        split, group, record = annotation.split, annotation.group, annotation.record
    return PreparedImage(
        id=loaded.id,
        file=str(path),
        start=start,
        length=len(loaded.data),
        digest=loaded.digest,
        captions=tuple(loaded.captions),
        labels=loaded.labels,
        split=split,
        group=group,
        record=record,
    )


def _skip(spec: DatasetSpec, report: ReadReport, name: str, reason: str) -> None:
    annotation = spec.images.annotations.images[name]
    report.skip(reason, annotation.file, annotation.line, name, annotation.rows)
