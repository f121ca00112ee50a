"""The images and captions of a run's test split."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from kerasgan.data.pipeline import Split
from kerasgan.errors import UserError
from kerasgan.runs import Run, require_same_data


def open_test_split(run: Run) -> Split:
    """Opens the test split of a run's captions stage, without preparing it.

    Args:
        run: a run of train-gan.

    Returns:
        The split, whose images stay on the disk.

    Raises:
        UserError: the data set is not prepared, its source cannot be read, or it
            has changed since the training.
    """
    from kerasgan.captioning.caption_data import data_for_captions
    from kerasgan.data import load_data
    from kerasgan.data.dataset_spec import DatasetSpec

    config = data_for_captions(run.settings)
    spec = DatasetSpec.from_config(config)
    if not spec.is_prepared:
        raise UserError(
            f"{spec.path} does not exist. Name its place with --data-dir, or prepare"
            " the data with kerasgan evaluate."
        )
    data = load_data(config, progress=False)
    require_same_data(run, data.info)
    return dataclasses.replace(data.test, in_memory=False)


def read_images(split: Split, ids: Iterable[str]) -> dict[str, np.ndarray]:
    """Reads some images of a split.

    Args:
        split: the result of `open_test_split`.
        ids: of the images.

    Returns:
        Images by id, uint8 `(size, size, 3)`.

    Raises:
        KeyError: the split has no image with one of the ids.
        UserError: a file of the split is damaged.
    """
    rows = {image_id: row for row, image_id in enumerate(split.ids)}
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    records = split.shards.read(np.array([rows[image_id] for image_id in wanted]))
    images = split.images.decode(records).numpy()
    return dict(zip(wanted, images, strict=True))
