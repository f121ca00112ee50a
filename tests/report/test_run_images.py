"""The test images of a run are read from the disk, and only those that are shown."""

import numpy as np
import pytest

from kerasgan.captioning.caption_data import data_for_captions
from kerasgan.data import load_data
from kerasgan.data.shards import Shards
from kerasgan.errors import UserError
from kerasgan.files import write_json
from kerasgan.report.run_images import open_test_split, read_images
from tests.report.makers import make_run


def test_only_some_images_are_read(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", tmp_path)
    with pytest.raises(UserError, match="does not exist. Name its place"):
        open_test_split(run)
    data = load_data(data_for_captions(run.settings), progress=False)
    with pytest.raises(UserError, match="was started with other images"):
        write_json(run.path / "data.json", data.info | {"test_ids": ["x"]})
        open_test_split(run)
    write_json(run.path / "data.json", data.info)
    expected = dict(zip(data.test.ids, data.test.images, strict=True))

    def read_all(self, shape):
        raise AssertionError("all images are read")

    monkeypatch.setattr(Shards, "read_images", read_all)
    split = open_test_split(run)
    last, first = data.test.ids[-1], data.test.ids[0]
    images = read_images(split, [last, first, last])
    assert list(images) == [last, first] and read_images(split, []) == {}
    for name, image in images.items():
        np.testing.assert_array_equal(image, expected[name])
    assert list(split.captions) == list(data.test.captions)
