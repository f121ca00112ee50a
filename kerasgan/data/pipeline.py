"""Loads data sets as arrays, after preparing them on the disk if necessary."""

import fcntl
import functools
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasgan.config.settings import DataConfig
from kerasgan.data.dataset_spec import DATA_JSON, DatasetSpec
from kerasgan.data.memory import keep_in_memory
from kerasgan.errors import JobError, UserError
from kerasgan.files import read_json
from kerasgan.quiet import quiet_import, quiet_tfds

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    import tensorflow as tf

    from kerasgan.data.shards import Shards


def load_data(
    config: DataConfig | None = None,
    progress: bool = True,
    beam_pipeline_options: str | None = None,
) -> "Pairs":
    """Loads a data set of images with captions and labels.

    The data set is read, checked, sampled, split and written to `config.data_dir`,
    unless it has been prepared there before.

    Args:
        config: settings of the data set. Defaults to `DataConfig()`.
        progress: whether a progress bar is shown on standard error while preparing.
        beam_pipeline_options: options of Apache Beam, such as
            "runner=FlinkRunner,flink_master=host:8081", with which the data set is
            prepared on other machines; None for the threads of this process.

    Returns:
        A `Pairs` object with the attributes `train` and `test`.

    Raises:
        UserError: If the data set is unknown, or its source is missing or has a larger
            share of bad rows than `config.max_bad`; or Apache Beam is not installed.
        JobError: If preparing fails, for example because the disk is full. Nothing
            incomplete is kept.
    """
    spec = DatasetSpec.from_config(config or DataConfig())
    if spec.is_prepared:
        return Pairs(spec.path, True, spec.config)
    prepare(spec.load_annotations(), progress, beam_pipeline_options)
    return Pairs(spec.path, config=spec.config)


def prepare(
    spec: DatasetSpec, progress: bool, beam_pipeline_options: str | None = None
) -> None:
    """Writes a data set with TFDS; a lock allows one process at a time.

    Args:
        spec: the data set.
        progress: whether a progress bar is shown.
        beam_pipeline_options: see `load_data`.

    Raises:
        UserError: If the data set cannot be used.
        JobError: If writing fails.
    """
    try:
        spec.path.parent.mkdir(parents=True, exist_ok=True)
        with open(spec.path.parent / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if spec.is_prepared:  # by the process that held the lock
                return
            _remove_leftovers(spec.path)
            _build(spec, progress, beam_pipeline_options)
    except (OSError, RuntimeError) as error:  # TFDS wraps some in RuntimeError
        raise JobError(
            f"Could not prepare {spec.config.dataset} in {spec.path}: {error}\n"
            "Nothing incomplete was kept. Check that the disk is not full and that "
            "the directory is writable, or choose another one with --data-dir DIR."
        ) from error


def _remove_leftovers(path: Path) -> None:
    """Removes what killed processes left. The lock is held: no other process writes."""
    for leftover in [path, *path.parent.glob("incomplete.*")]:
        shutil.rmtree(leftover, ignore_errors=True)


def _build(
    spec: DatasetSpec, progress: bool, beam_pipeline_options: str | None
) -> None:
    tfds = import_tfds()
    import tensorflow as tf

    from kerasgan.data.beam_workers import pipeline_options
    from kerasgan.data.builders import BUILDERS

    config = tfds.download.DownloadConfig()
    if beam_pipeline_options is not None:
        config.beam_options = pipeline_options(beam_pipeline_options)
    with quiet_tfds():
        builder = BUILDERS[spec.config.dataset](spec=spec, progress=progress)
        tfds.disable_progress_bar()  # the builder shows its own
        try:
            builder.download_and_prepare(download_config=config)
        except tf.errors.OpError as error:
            raise OSError(str(error)) from error
        finally:
            tfds.enable_progress_bar()


def import_tfds() -> "ModuleType":
    """Imports tensorflow_datasets, which takes seconds, without its messages."""
    with quiet_import():
        import tensorflow as tf
        import tensorflow_datasets as tfds

        tf.config.list_physical_devices()  # searches for GPUs and logs about them
    return tfds


@dataclass(frozen=True)
class Split:
    """The training or the test part of a data set.

    Attributes:
        path: directory of the prepared data set.
        name: "train" or "test".
        ids: ids of the images, in the order of images, captions and labels.
        image_size: width and height of the images in pixels.
        in_memory: whether images and captions are read at once when they are accessed
            for the first time. Otherwise they stay on the disk.
        shared_groups: the number of the group of each image that shares one, by id.
    """

    path: Path
    name: str
    ids: list[str]
    image_size: int
    in_memory: bool = True
    shared_groups: Mapping[str, int] = field(default_factory=dict)

    def as_dataset(self) -> "tf.data.Dataset":
        """Returns the examples as a `tf.data.Dataset`, in the order of `ids`.

        Returns:
            A data set of dicts with the keys `image_id` (string), `image` (uint8,
            shape `(size, size, 3)`), `captions` (a vector of strings) and, if the data
            set has labels, `label` (int64), or `labels` (a vector of int64) with
            `data.several_labels: all`.
        """
        tfds = import_tfds()
        with quiet_tfds():
            builder = tfds.builder_from_directory(self.path)
            return builder.as_dataset(split=self.name, shuffle_files=False)

    @functools.cached_property
    def shards(self) -> "Shards":
        """The records of the split, on the disk."""
        with quiet_import():
            from kerasgan.data.shards import Shards

            return Shards(self.path, self.name, self.ids)

    @functools.cached_property
    def images(self) -> Any:
        """Images: uint8, shape `(n, size, size, 3)`, RGB.

        An array, or a `StoredImages`, which reads what is indexed.
        """
        from kerasgan.data.stored_arrays import StoredImages

        images = StoredImages(self.shards, self.image_size)
        return self.shards.read_images(images.shape) if self.in_memory else images

    @functools.cached_property
    def captions(self) -> Sequence[list[str]]:
        """The captions of each image."""
        from kerasgan.data.stored_arrays import StoredCaptions

        captions = StoredCaptions(self.shards.table["captions"])
        return list(captions) if self.in_memory else captions

    @functools.cached_property
    def labels(self) -> "np.ndarray | None":
        """Labels: int64, shape `(n,)`, indices into `Pairs.label_names`; or None."""
        labels = self.shards.table["label"].to_numpy()
        return None if (labels < 0).all() else labels

    @functools.cached_property
    def label_lists(self) -> list[list[int]] | None:
        """All labels of each image, if `data.several_labels` is `"all"`; or None."""
        lists = self.shards.table["labels"].to_pylist()
        return lists if any(lists) else None

    @functools.cached_property
    def groups(self) -> "np.ndarray":
        """Groups: int64, shape `(n,)`, equal for images that belong together.

        They are byte-equal, of one row of a table, have the same `image_phash` or, with
        `data.group_by="captions"`, equal captions. Like the split, validation does not
        separate them.
        """
        from kerasgan.data.groups import number_groups

        return number_groups(self.ids, self.shared_groups)


def _read_info(path):
    keys = {"train_ids": list, "test_ids": list, "image_size": int}
    try:
        return read_json(path / DATA_JSON, keys)
    except UserError as error:
        raise UserError(
            f"The prepared data set is damaged: {error}. Delete the folder {path}, and"
            " the data set is prepared again."
        ) from error


class Pairs:
    """A prepared data set of images with captions and labels.

    Args:
        path: directory of the prepared data set.
        was_prepared: whether it existed before.
        config: with `keep_in_memory` and `service`; None for the defaults.

    Attributes:
        path: see above.
        was_prepared: see above.
        in_memory: whether images and captions are read into memory at once.
        info: what was read and chosen, see `selection.dataset_info`.
        train: the training `Split`.
        test: the test `Split`.
        label_names: class names in the order of their numbers, or None.
    """

    def __init__(
        self,
        path: Path,
        was_prepared: bool = False,
        config: DataConfig | None = None,
    ):
        self.path, self.was_prepared = path, was_prepared
        self.info = _read_info(path)
        config = config or DataConfig()
        in_memory = keep_in_memory(self.image_bytes, config)
        self.in_memory = in_memory and config.service is None
        size = self.info["image_size"]
        shared_groups = self.info.get("groups", {})  # earlier versions stored none
        self.train, self.test = (
            Split(path, name, ids, size, self.in_memory, shared_groups)
            for name, ids in (
                ("train", self.info["train_ids"]),
                ("test", self.info["test_ids"]),
            )
        )
        self.label_names: list[str] | None = self.info["label_names"]

    @property
    def image_bytes(self) -> int:
        """Size of all images in memory, in bytes."""
        count = len(self.info["train_ids"]) + len(self.info["test_ids"])
        return count * self.info["image_size"] ** 2 * 3

    @property
    def memory_note(self) -> str | None:
        """A sentence that says that images stay on the disk; None if they do not."""
        if self.in_memory:
            return None
        return (
            f"Images are read from the disk during training: {len(self.train.ids):,} of"
            f" {self.info['image_size']} pixels. In memory, all would take"
            f" {self.image_bytes / 1e9:.1f} GB (see data.keep_in_memory)."
        )

    def print_memory_note(self, progress: bool) -> None:
        """Prints `memory_note` on standard error, if messages are shown.

        Args:
            progress: whether they are.
        """
        if progress and self.memory_note:
            print(self.memory_note, file=sys.stderr)
