"""One pass over all images: checked, squared, and put into a scratch file."""

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
    """A good image; its encoded bytes are in the scratch file."""

    id: str
    start: int
    length: int
    digest: str
    captions: tuple[str, ...]
    label: str | None
    split: str | None  # as published
    group: str | None = None

    def keys(self, captions: bool = False) -> list[str]:
        """What no image on the other side of a split may have: this one's bytes,
        its group, and, where asked for, its captions."""
        said = [f"caption {text.casefold()}" for text in self.captions if captions]
        return [self.digest, *filter(None, [self.group]), *said]

    def read(self, scratch: BinaryIO) -> bytes:
        return os.pread(scratch.fileno(), self.length, self.start)


def prepare_images(
    plan: DatasetSpec, ledger: ReadReport, scratch: BinaryIO, progress: bool
) -> list[PreparedImage]:
    """Every good image, in order; the bad ones are entered in `ledger`.

    Encoded images go into `scratch`, so memory holds a few at a time.
    """
    entries, start = [], 0
    title, total = f"Preparing {plan.config.dataset}", len(plan.images.ids)
    with progress_bar(title, total, progress) as advance, strict_pillow():
        for name, made in map_in_threads(plan.images.make, plan.images.ids):
            advance()
            if isinstance(made, BadImage):
                _skip(plan, ledger, name, str(made))
                continue
            scratch.write(made.image)
            entries.append(_prepared(plan, made, start))
            start += len(made.image)
        scratch.flush()
    return entries


def _prepared(plan: DatasetSpec, made: LoadedImage, start: int) -> PreparedImage:
    annotations, captions = plan.images.annotations, tuple(made.captions)
    split = group = None
    if annotations:
        image = annotations.images[made.id]
        split, group = image.split, image.group
    length = len(made.image)
    return PreparedImage(
        made.id, start, length, made.digest, captions, made.label, split, group
    )


def _skip(plan: DatasetSpec, ledger: ReadReport, name: str, reason: str) -> None:
    image = plan.images.annotations.images[name]
    ledger.skip(reason, image.file, image.line, name, image.rows)
