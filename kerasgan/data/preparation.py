"""Checks and squares all images, and stores them in a scratch file."""

import os
from dataclasses import dataclass
from typing import BinaryIO

from kerasgan.data.dataset_spec import DatasetSpec
from kerasgan.data.image_sources import LoadedImage
from kerasgan.data.images import BadImage, strict_pillow
from kerasgan.data.read_report import ReadReport
from kerasgan.data.threads import map_in_threads
from kerasgan.progress import progress_bar


@dataclass(frozen=True)
class PreparedImage:
    """An image that passed all checks; its encoded bytes are in the scratch file.

    Attributes:
        id: id of the image.
        start: position of its bytes in the scratch file.
        length: number of its bytes.
        digest: SHA-256 of the original file.
        captions: captions of the image.
        label: name of its class, or None.
        split: name of its published split, or None.
        group: images of one group are kept in the same split.
        record: see `CaptionRow`.
    """

    id: str
    start: int
    length: int
    digest: str
    captions: tuple[str, ...]
    label: str | None
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

    def read(self, scratch_file: BinaryIO) -> bytes:
        """Returns the encoded bytes of the image."""
        return os.pread(scratch_file.fileno(), self.length, self.start)


def prepare_images(
    spec: DatasetSpec, report: ReadReport, scratch_file: BinaryIO, progress: bool
) -> list[PreparedImage]:
    """Loads all images of a data set.

    The encoded images are written to a file, so that memory holds only a few of them.

    Args:
        spec: the data set.
        report: where images that cannot be used are counted.
        scratch_file: where the encoded images are written.
        progress: whether a progress bar is shown.

    Returns:
        The images that can be used, in the order of the data set.
    """
    prepared: list[PreparedImage] = []
    start = 0
    title, total = f"Preparing {spec.config.dataset}", len(spec.images.ids)
    with progress_bar(title, total, progress) as advance, strict_pillow():
        for name, loaded in map_in_threads(spec.images.load, spec.images.ids):
            advance()
            if isinstance(loaded, BadImage):
                _skip(spec, report, name, str(loaded))
                continue
            scratch_file.write(loaded.data)
            prepared.append(_prepared_image(spec, loaded, start))
            start += len(loaded.data)
        scratch_file.flush()
    return prepared


def _prepared_image(
    spec: DatasetSpec, loaded: LoadedImage, start: int
) -> PreparedImage:
    split = group = record = None
    if spec.images.annotations:
        annotation = spec.images.annotations.images[loaded.id]
        split, group, record = annotation.split, annotation.group, annotation.record
    return PreparedImage(
        id=loaded.id,
        start=start,
        length=len(loaded.data),
        digest=loaded.digest,
        captions=tuple(loaded.captions),
        label=loaded.label,
        split=split,
        group=group,
        record=record,
    )


def _skip(spec: DatasetSpec, report: ReadReport, name: str, reason: str) -> None:
    annotation = spec.images.annotations.images[name]
    report.skip(reason, annotation.file, annotation.line, name, annotation.rows)
