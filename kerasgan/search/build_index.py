"""Builds an index, and brings it up to date with its folders and tables."""

import array
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasgan.data.images import BadImage, read_square_image
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.files import exclusive_lock, write_json
from kerasgan.inference.batch import BatchSummary, predict_batches
from kerasgan.inference.inputs import InferenceInput
from kerasgan.progress import progress_bar
from kerasgan.runs import Run
from kerasgan.runs.model_files import models_digest
from kerasgan.search.checksums import check_files
from kerasgan.search.index_files import (
    FORMAT,
    MANIFEST,
    IndexData,
    file_state,
    read_manifest,
)
from kerasgan.search.journal import open_journal
from kerasgan.search.publish import publish
from kerasgan.search.sources import list_images

if TYPE_CHECKING:
    from kerasgan.captioning.pipeline import CaptioningPipeline

LOCK = ".lock"


@dataclass
class UpdateReport:
    """What an update of an index did.

    Attributes:
        images: number of images in the index now.
        added: number of images that are new.
        changed: number of images that were captioned again.
        removed: number of images whose files are gone or cannot be used any more.
        summary: what was captioned, with the reasons for failures.
        report: malformed rows of tables.
        manifest: of the index.
    """

    images: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    summary: BatchSummary = field(default_factory=BatchSummary)
    report: ReadReport = field(default_factory=ReadReport)
    manifest: dict[str, Any] = field(default_factory=dict)


def update_index(
    run: Run,
    path: Path,
    sources: Sequence[dict[str, Any]],
    decoding: str,
    load: Callable[[], "CaptioningPipeline"],
    message: Callable[[str], None],
) -> UpdateReport:
    """Builds an index, continues an interrupted one, or brings one up to date.

    Only images that are new or whose files have changed are captioned and embedded.

    Args:
        run: a run with a trained captions stage.
        path: the directory of the index; it may not exist.
        sources: the result of `to_sources`; they are added to those of the index.
        decoding: of the captions, see `CaptioningPipeline.caption`.
        load: loads the models of the run; not called if they are not needed.
        message: called with what takes long.

    Returns:
        An `UpdateReport`.

    Raises:
        UserError: the index is of another run, has other options, or is damaged; a
            source is missing; or there is no image.
    """
    _check_directory(path)
    with exclusive_lock(path / LOCK, f"Another kerasgan index is writing {path}."):
        loaded: list[CaptioningPipeline] = []

        def pipeline():
            loaded[:] = loaded or [load()]
            return loaded[0]

        for source in sources:  # a wrong one must not become part of the index
            next(list_images([source], ReadReport()), None)
        manifest = read_manifest(path)
        if manifest is None:
            if not sources:
                raise UserError("Name images, a folder, or a table as --source.")
            manifest = _new_manifest(run, path, decoding, pipeline(), message)
        _check_manifest(manifest, path, run, decoding)
        new = [source for source in sources if source not in manifest["sources"]]
        state = {"run": str(run.path), "sources": [*manifest["sources"], *new]}
        if any(manifest[key] != value for key, value in state.items()):
            manifest |= state
            write_json(path / MANIFEST, manifest, checksum=True)
        header = {name: manifest[name] for name in ("models", "decoding", "dim")}
        with open_journal(path, header) as journal:
            return _Update(run, path, manifest, journal).apply(pipeline)


def _check_directory(path):
    if path.exists() and not path.is_dir():
        raise UserError(f"--out {path} is not a directory.")
    if path.is_dir() and any(path.iterdir()) and not (path / LOCK).is_file():
        raise UserError(
            f"{path} is not empty and not an index. Name another directory."
        )
    nearest = next(parent for parent in (path, *path.parents) if parent.exists())
    if not os.access(nearest, os.W_OK):
        raise UserError(f"{nearest} is read-only: an index cannot be written there.")
    path.mkdir(parents=True, exist_ok=True)


def _new_manifest(run, path, decoding, pipeline, message):
    from kerasgan.search.models import save_models
    from kerasgan.search.validation import validate

    manifest = {
        "format": FORMAT,
        "run": str(run.path),
        "models": models_digest(run.models),
        "decoding": decoding,
        "sources": [],
        "data": None,
        "images": 0,
        **save_models(path / "model", pipeline),
    }
    try:
        choices = validate(run, pipeline, decoding, message)
        manifest["ranking"] = choices["rankings"][decoding]
    except UserError as error:
        message(
            f"The validation images of {run.path} cannot be read, so the ranking is"
            f" that of the vectors. {error}"
        )
        manifest["ranking"] = {"default": "embedding", "weight": 0.5}
    write_json(path / MANIFEST, manifest, checksum=True)
    return manifest


def _check_manifest(manifest, path, run, decoding):
    if manifest["models"] != models_digest(run.models):
        raise UserError(
            f"{path} was built with the models of {manifest['run']}, which are not"
            f" those of {run.path} now. Use that run, or another directory."
        )
    if manifest["decoding"] != decoding:
        raise UserError(
            f"{path} was built with --decoding {manifest['decoding']}, not {decoding}."
        )


class _Update:
    """One update: which images are up to date, and which have to be captioned."""

    def __init__(self, run, path, manifest, journal):
        self.run, self.path, self.manifest = run, path, manifest
        self.journal = journal
        if manifest["data"]:
            check_files(path / manifest["data"])
        self.old = IndexData.open(path / manifest["data"]) if manifest["data"] else None
        # Rows of the present data, followed by those of the journal.
        self.num_old = len(self.old) if self.old else 0
        self.old_rows: dict[str, int] = {}
        self.new_rows: dict[str, int] = {}
        self.sizes, self.times = array.array("q"), array.array("q")
        for records, rows in (
            (self.old or (), self.old_rows),
            (self.journal, self.new_rows),
        ):
            for record in records:
                rows[record["image"]] = len(self.sizes)
                self.sizes.append(record["size"])
                self.times.append(record["mtime_ns"])
        self.is_current = np.zeros(len(self.sizes), bool)

    def apply(self, pipeline: Callable[[], "CaptioningPipeline"]) -> UpdateReport:
        result, num_missing = UpdateReport(manifest=self.manifest), 0
        for image, _ in list_images(self.manifest["sources"], result.report):
            row = self._current_row(image)
            if row is None:
                num_missing += 1
            else:
                self.is_current[row] = True
                result.changed += row >= self.num_old and image in self.old_rows
        kept = np.flatnonzero(self.is_current[: self.num_old])
        finished = np.flatnonzero(self.is_current[self.num_old :])
        result.added = len(finished) - result.changed
        before = self.journal.num_rows
        if num_missing:
            self._caption(pipeline(), num_missing, result)
        finished = np.append(finished, np.arange(before, self.journal.num_rows))
        result.images = len(kept) + len(finished)
        result.removed = self.num_old - len(kept) - result.changed
        if not result.images:
            raise UserError(f"None of the images can be used: {result.summary}.")
        if self.old and not len(finished) and len(kept) == self.num_old:
            self.journal.remove()
        else:
            parameters = self.old, kept, self.journal, finished
            result.manifest = publish(self.path, self.manifest, *parameters)
        return result

    def _current_row(self, image: str) -> int | None:
        """Returns the row of an image unless its file is new or has changed."""
        row = self.new_rows.get(image, self.old_rows.get(image))
        try:
            status = os.stat(image)
        except (OSError, ValueError):
            return None
        if row is None or status.st_size != self.sizes[row]:
            return None
        if status.st_mtime_ns == self.times[row]:
            return row
        if row >= self.num_old:
            return None
        return row if file_state(self.old.records([row])[0]) == "unchanged" else None

    def _missing(self) -> Iterator[InferenceInput]:
        for image, item in list_images(self.manifest["sources"], ReadReport()):
            row = self.new_rows.get(image, self.old_rows.get(image))
            if row is None or not self.is_current[row]:
                yield item

    def _caption(self, pipeline, num_missing, result):
        size, fit = pipeline.image_size, self.run.settings.data.fit
        decoding = self.manifest["decoding"]

        def load_image(item):
            return _read_image(item, size, fit)

        def predict(pairs, items, start):
            images, records = zip(*pairs, strict=True)
            images = np.stack(images)
            features = pipeline.encode_images(images)
            vectors = pipeline.embed_images(images, features)
            choices = pipeline.caption(features, vectors, decoding, start)
            for record, ranked, vector in zip(records, choices, vectors, strict=True):
                caption = dict(zip(("caption", "score"), ranked[0], strict=True))
                yield {"record": record | caption, "vector": vector}

        with progress_bar("index", num_missing, True) as advance:
            chunks = predict_batches(self._missing(), load_image, predict, False)
            for results in chunks:
                result.summary.add(results)
                result.summary.previews.clear()
                rows = [row for row in results if "record" in row]
                records = [row["record"] for row in rows]
                if records:
                    self.journal.append(records, np.stack([r["vector"] for r in rows]))
                changed = sum(record["image"] in self.old_rows for record in records)
                result.changed += changed
                result.added += len(records) - changed
                advance(len(results))


def _read_image(item: InferenceInput, size: int, fit: str) -> tuple[np.ndarray, dict]:
    """Reads an image, and what identifies its file."""
    path = item.file
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # `read` gives the reason
        status = None
    data = item.read()
    if status is None or status.st_size != len(data):
        raise BadImage("changed while reading")
    digest = hashlib.sha256(data).hexdigest()
    record = {"image": path, "size": len(data), "mtime_ns": status.st_mtime_ns}
    return read_square_image(data, size, fit), record | {"sha256": digest}
