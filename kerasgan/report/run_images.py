"""The images and captions of a run's test split."""

from collections.abc import Sequence

import numpy as np

from kerasgan.errors import UserError
from kerasgan.runs import Run, require_same_data


def load_test_images(
    run: Run,
) -> tuple[dict[str, np.ndarray], dict[str, Sequence[str]]]:
    """Loads the test images of a run's captions stage, without preparing them.

    Args:
        run: a run of train-gan.

    Returns:
        Images by id, uint8 `(size, size, 3)`, and their captions by id.

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
    test = data.test
    images = dict(zip(test.ids, test.images, strict=True))
    return images, dict(zip(test.ids, test.captions, strict=True))
