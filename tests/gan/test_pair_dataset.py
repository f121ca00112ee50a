"""The order of training batches, from memory and from the disk."""

import io
import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasgan.config.settings import DataConfig
from kerasgan.data.pipeline import Pairs, load_data
from kerasgan.gan import pair_dataset
from kerasgan.gan.pair_dataset import PairDataset, shuffled_rows, to_grayscale
from kerasgan.gan.train_gan import _pair_dataset
from kerasgan.layers.text_vectorization import build_vectorizer

IMAGES = np.arange(10, dtype="uint8")[:, None, None, None].repeat(4, 1)
TOKENS = [np.full((1 + n % 3, 2), n, "int32") + [[0, 100]] for n in range(10)]


def epochs(dataset, batch_size, seed, first_epoch=1, count=1):
    """The batches of some epochs, joined."""
    batches = dataset.batches(batch_size, seed, first_epoch).as_numpy_iterator()
    batches = list(itertools.islice(batches, count * dataset.steps(batch_size)))
    return {name: np.concatenate([b[name] for b in batches]) for name in batches[0]}


def test_each_image_comes_once_with_one_of_its_captions():
    epoch = epochs(PairDataset(IMAGES, TOKENS), 5, 0)
    images = epoch["image"][:, 0, 0, 0]
    assert sorted(images) == list(range(10))
    np.testing.assert_array_equal(epoch["token_ids"][:, 0], images)


def test_order_depends_only_on_seed_and_epoch():
    first = epochs(PairDataset(IMAGES, TOKENS), 5, 0)
    again = epochs(PairDataset(IMAGES, TOKENS), 5, 0)
    np.testing.assert_array_equal(first["image"], again["image"])
    for order in ((5, 0, 2), (5, 1, 1)):
        other = epochs(PairDataset(IMAGES, TOKENS), *order)
        assert (other["image"] != first["image"]).any()


@pytest.mark.parametrize("batch_size", [3, 5])
def test_later_epochs_follow_the_first_as_if_each_was_asked_for(batch_size):
    dataset = PairDataset(IMAGES, TOKENS)
    together = epochs(dataset, batch_size, 7, first_epoch=4, count=3)
    alone = [epochs(dataset, batch_size, 7, first_epoch=epoch) for epoch in (4, 5, 6)]
    for name, values in together.items():
        np.testing.assert_array_equal(
            values, np.concatenate([epoch[name] for epoch in alone])
        )


def test_batches_are_full_and_have_static_shapes():
    dataset = PairDataset(IMAGES, TOKENS)
    assert dataset.steps(4) == 2
    spec = dataset.batches(4, 0).element_spec
    assert spec["image"].shape == (4, 4, 1, 1) and spec["token_ids"].shape == (4, 2)


def test_every_caption_is_used():
    dataset = PairDataset(IMAGES[:2], [np.array([[0], [1], [2]]), np.array([[7]])])
    token_ids = epochs(dataset, 2, 0, count=40)["token_ids"]
    assert set(token_ids[:, 0].tolist()) == {0, 1, 2, 7}


def test_grayscale_is_luminance():
    colors = np.array([[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]], "uint8")
    assert to_grayscale(colors[None, None]).ravel().tolist() == [255, 76, 150, 29]


@pytest.mark.parametrize("count", [1, 31, 33, 100, 257])
def test_shuffling_by_blocks_and_buffers_keeps_each_row(count, monkeypatch):
    monkeypatch.setattr(pair_dataset, "BUFFER_SIZE", 64)
    rows = shuffled_rows(count, np.random.default_rng(0))
    assert sorted(rows) == list(range(count))
    again = shuffled_rows(count, np.random.default_rng(0))
    np.testing.assert_array_equal(rows, again)
    for start in range(0, count - 64, 64):  # each buffer has few blocks
        assert len(set(rows[start : start + 64] // 32)) <= 4


def test_small_data_are_shuffled_completely():
    rows = np.stack(
        [shuffled_rows(100, np.random.default_rng(seed)) for seed in range(300)]
    )
    assert abs(np.corrcoef(rows[:, 0], rows[:, 1])[0, 1]) < 0.2
    assert len(set(rows[:, 0])) > 80


@pytest.mark.parametrize("channels", ["rgb", "grayscale"])
@pytest.mark.parametrize("conditional", [True, False])
def test_batches_from_the_disk_equal_those_from_memory(
    tiny, channels, conditional, monkeypatch
):
    monkeypatch.setattr(pair_dataset, "BUFFER_SIZE", 16)
    monkeypatch.setattr(pair_dataset, "BLOCK_SIZE", 4)
    gan = tiny.gan.model_copy(update={"channels": channels})
    settings = tiny.model_copy(update={"gan": gan})
    path = load_data(tiny.data, progress=False).path
    rows = np.flatnonzero(np.arange(32) % 5)
    disk, memory = (
        _pair_dataset(
            settings,
            split := Pairs(path, config=DataConfig(keep_in_memory=where)).train,
            build_vectorizer(itertools.chain(*split.captions)) if conditional else None,
            rows,
        )
        for where in ("never", "always")
    )
    assert disk.batches(4, 0).element_spec == memory.batches(4, 0).element_spec
    expected = epochs(memory, 4, 5, first_epoch=1, count=3)
    found = epochs(disk, 4, 5, first_epoch=1, count=3)
    resumed = epochs(disk, 4, 5, first_epoch=3)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
        np.testing.assert_array_equal(resumed[name], values[-len(resumed[name]) :])


TRAIN_IN_LITTLE_MEMORY = """
import pathlib, resource, sys
import psutil, tensorflow as tf
from kerasgan.config.settings import DataConfig
from kerasgan.data.pipeline import Pairs
from kerasgan.gan.pair_dataset import StoredPairDataset

next(iter(tf.data.Dataset.range(1)))
limit = psutil.Process().memory_info().data + 300 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
path = pathlib.Path(sys.argv[1])
pairs = Pairs(path)
assert not pairs.in_memory and pairs.image_bytes > 450e6
dataset = StoredPairDataset(pairs.train.images)
batches = dataset.batches(2, 0).take(dataset.steps(2))
print(sum(int(batch["image"].numpy()[:, 0, 0, 0].sum()) for batch in batches))
try:
    Pairs(path, config=DataConfig(keep_in_memory="always")).train.images
except MemoryError:
    print("more than fits")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA")
def test_images_that_do_not_fit_into_memory_are_trained_with(tmp_path):
    size, count = 1024, 150
    info = {"image_size": size, "label_names": None, "test_ids": []}
    info["train_ids"] = [str(number) for number in range(count)]
    (tmp_path / "data.json").write_text(json.dumps(info))
    split = {"name": "train", "shardLengths": [str(count)]}
    info = {"name": "flat", "splits": [split]}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    shard = str(tmp_path / "flat-train.tfrecord-00000-of-00001")
    with tf.io.TFRecordWriter(shard) as writer:
        for number in range(count):
            file = io.BytesIO()
            Image.new("RGB", (size, size), (number, 0, 0)).save(file, "PNG")
            example = tf.train.Example()
            for key, value in (
                ("image_id", str(number).encode()),
                ("image", file.getvalue()),
            ):
                example.features.feature[key].bytes_list.value.append(value)
            writer.write(example.SerializeToString())
    result = subprocess.run(
        [sys.executable, "-c", TRAIN_IN_LITTLE_MEMORY, str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split("\n")[:2] == [str(sum(range(count))), "more than fits"]
