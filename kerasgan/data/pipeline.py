"""`load_data`: from settings to arrays, by way of what is prepared on the disk."""

import fcntl
import functools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kerasgan.config.settings import DataConfig
from kerasgan.data.dataset_spec import DATA_JSON, DatasetSpec
from kerasgan.errors import JobError
from kerasgan.quiet import quiet_import, quiet_tfds

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

READ_BATCH = 256  # images


def load_data(config: DataConfig | None = None, progress: bool = True) -> "Pairs":
    """The data set that the settings describe, prepared if it is not yet.

    Args:
        config: DataConfig's defaults if None.
        progress: whether a bar is shown on standard error while preparing.

    Raises:
        UserError: the source is missing, unknown or worse than `max_bad` allows.
        JobError: preparing failed, say for want of space; nothing is left behind.
    """
    plan = DatasetSpec.of(config or DataConfig())
    if plan.is_prepared:
        return Pairs(plan.path, was_prepared=True)
    prepare(plan.read(), progress)
    return Pairs(plan.path)


def prepare(plan: DatasetSpec, progress: bool) -> None:
    """Has TFDS write the data set; only one process at a time writes it."""
    try:
        plan.path.parent.mkdir(parents=True, exist_ok=True)
        with open(plan.path.parent / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if plan.is_prepared:  # by the process that held the lock
                return
            _clear(plan.path)
            _build(plan, progress)
    except (OSError, RuntimeError) as error:  # TFDS wraps some in RuntimeError
        raise JobError(
            f"{plan.config.dataset} could not be prepared in {plan.path}: {error}\n"
            "Nothing half-made was kept. Is the disk full, or not writable? "
            "--data-dir DIR names another place."
        ) from error


def _clear(path: Path) -> None:
    """Removes what killed processes left; nobody else writes here now."""
    for leftover in [path, *path.parent.glob("incomplete.*")]:
        shutil.rmtree(leftover, ignore_errors=True)


def _build(plan: DatasetSpec, progress: bool) -> None:
    tfds = import_tfds()
    import tensorflow as tf

    from kerasgan.data.builders import BUILDERS

    with quiet_tfds():
        builder = BUILDERS[plan.config.dataset](plan=plan, progress=progress)
        tfds.disable_progress_bar()  # ours counts the images
        try:
            builder.download_and_prepare()
        except tf.errors.OpError as error:
            raise OSError(str(error)) from error
        finally:
            tfds.enable_progress_bar()


def import_tfds():
    """tensorflow_datasets, which takes seconds: only when images are needed."""
    with quiet_import():
        import tensorflow as tf
        import tensorflow_datasets as tfds

        tf.config.list_physical_devices()  # looks for GPUs now, and says so
    return tfds


@dataclass(frozen=True)
class Split:
    """One side of a data set; its arrays are read when first asked for.

    Attributes:
        ids: the images' ids, in the order of all that follows.
    """

    path: Path
    name: str
    ids: list[str]

    def as_dataset(self) -> "tf.data.Dataset":
        """Plain {"image_id", "image", "captions"[, "label"]}, in the order of `ids`.

        `image` is uint8 (size, size, 3), `captions` a string vector, `label` int64.
        """
        tfds = import_tfds()
        with quiet_tfds():
            builder = tfds.builder_from_directory(self.path)
            return builder.as_dataset(split=self.name, shuffle_files=False)

    @property
    def images(self) -> "np.ndarray":
        """uint8, (n, size, size, 3), RGB."""
        return self._arrays[0]

    @property
    def captions(self) -> list[list[str]]:
        """The captions of each image."""
        return self._arrays[1]

    @property
    def labels(self) -> "np.ndarray | None":
        """int64, (n,), numbers of `Pairs.label_names`; None without labels."""
        return self._arrays[2]

    @functools.cached_property
    def _arrays(self) -> tuple:
        import numpy as np

        if not self.ids:
            return np.empty((0, 0, 0, 3), np.uint8), [], None
        images, captions, labels, start = None, [], [], 0
        dataset = self.as_dataset().map(_joined_captions)
        for batch in dataset.batch(READ_BATCH).prefetch(2).as_numpy_iterator():
            if images is None:
                images = np.empty((len(self.ids), *batch["image"].shape[1:]), np.uint8)
            images[start : start + len(batch["image"])] = batch["image"]
            start += len(batch["image"])
            captions += [
                text.decode().split("\n") if text else [] for text in batch["captions"]
            ]
            labels.append(batch.get("label"))
        if labels[0] is None:
            return images, captions, None
        return images, captions, np.concatenate(labels)


def _joined_captions(example: dict) -> dict:
    """One string an image: batches need equal shapes, and captions have no \\n."""
    import tensorflow as tf

    joined = tf.strings.reduce_join(example["captions"], separator="\n")
    return example | {"captions": joined}


class Pairs:
    """A prepared data set.

    Attributes:
        path: the directory where it lies.
        was_prepared: whether it lay there before.
        info: what was read and chosen; see `selecting.account`.
        train, test: its two sides.
        label_names: class names in the order of their numbers, or None.
    """

    def __init__(self, path: Path, was_prepared: bool = False):
        self.path, self.was_prepared = path, was_prepared
        self.info = json.loads((path / DATA_JSON).read_text(encoding="utf-8"))
        self.train = Split(path, "train", self.info["train_ids"])
        self.test = Split(path, "test", self.info["test_ids"])
        self.label_names: list[str] | None = self.info["label_names"]
