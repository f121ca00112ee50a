"""Prepared data that stay on the disk, and damage to them."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.captioning.train_dual_encoder import (
    dual_encoder_batches,
    train_dual_encoder,
)
from kerasgan.classification.examples import PairExamples, training_batches
from kerasgan.classification.network_trainer import NetworkTrainer
from kerasgan.classification.networks import build_classifier, build_conv_branch
from kerasgan.classification.validation_predictions import predict
from kerasgan.config.settings import CaptionsConfig, ClassifierConfig, DataConfig
from kerasgan.data import load_data
from kerasgan.data.pipeline import Pairs
from kerasgan.data.stored_arrays import gather_function
from kerasgan.encoders.image_encoder import build_image_encoder
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.errors import JobError, UserError
from tests.data import makers

SHARDS = 3


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("shards")
    folder = tmp_path / "in"
    makers.write_images(folder, makers.names(10))
    rows = ["image,caption_1,caption_2", *map(row_of_table, makers.names(10))]
    config = DataConfig(
        dataset="table",
        source=str(makers.table(folder, rows)),
        image_size=16,
        data_dir=str(tmp_path / "out"),
        keep_uncaptioned=True,
    )
    path = load_data(config, progress=False).path
    split_into_shards(path, "train", SHARDS)
    return path


@pytest.fixture
def prepared(original, tmp_path):
    """A data set of 10 images, without captions for some, in several shards."""
    return shutil.copytree(original, tmp_path / "prepared")


def row_of_table(name):
    number = int(name[3])
    return f"{name},{['', 'one ü dog'][number > 0]},{['', 'two dogs'][number % 2]}"


def split_into_shards(path, name, count):
    """Divides the only shard of a split, as TFDS does with larger ones."""
    info = json.loads((path / "dataset_info.json").read_text())
    split = next(split for split in info["splits"] if split["name"] == name)
    only = next(path.glob(f"*-{name}.tfrecord-*"))
    records = list(tf.data.TFRecordDataset(str(only)).as_numpy_iterator())
    size = -(-len(records) // count)
    groups = [records[size * n : size * (n + 1)] for n in range(count)]
    only.unlink()
    for number, group in enumerate(groups):
        shard = path / f"table-{name}.tfrecord-{number:05d}-of-{count:05d}"
        with tf.io.TFRecordWriter(str(shard)) as writer:
            for record in group:
                writer.write(record)
    split["shardLengths"] = [str(len(group)) for group in groups]
    (path / "dataset_info.json").write_text(json.dumps(info))


def shard(path, number):
    return path / f"table-train.tfrecord-{number:05d}-of-{SHARDS:05d}"


def stored(path):
    return Pairs(path, config=DataConfig(keep_in_memory="never")).train


def read_at_once(path):
    return Pairs(path, config=DataConfig(keep_in_memory="always")).train


def test_the_disk_has_the_same_as_memory(prepared):
    disk, arrays = stored(prepared), read_at_once(prepared)
    images = disk.images
    assert images.shape == arrays.images.shape == (8, 16, 16, 3)
    assert len(images) == 8 and images.dtype == arrays.images.dtype
    rows = np.array([7, 0, 3, 3])
    for key in (
        slice(None),
        slice(2, 7, 2),
        rows,
        5,
        -1,
        arrays.images[:, 0, 0, 0] > 9,
    ):
        np.testing.assert_array_equal(images[key], arrays.images[key])
    batches = list(images.batches(3))
    assert [len(batch) for batch in batches] == [3, 3, 2]
    np.testing.assert_array_equal(np.concatenate(batches), arrays.images)
    assert list(disk.captions) == arrays.captions
    assert [disk.captions[row] for row in range(-1, 8)] == [
        arrays.captions[row] for row in range(-1, 8)
    ]
    assert disk.captions[1:6:2] == arrays.captions[1:6:2]
    assert disk.captions.counts.tolist() == [len(texts) for texts in arrays.captions]
    assert disk.labels is None and arrays.labels is None


def test_arrays_equal_what_tfds_reads(prepared):
    split = stored(prepared)
    examples = list(split.as_dataset().as_numpy_iterator())
    np.testing.assert_array_equal(split.images[:], [e["image"] for e in examples])
    captions = [[text.decode() for text in e["captions"]] for e in examples]
    assert captions == list(split.captions)


def test_reading_ahead_changes_nothing(prepared):
    shards = stored(prepared).shards
    shards.prefetch(np.array([5, 0, 1, 7]))
    assert len(set(shards.read(np.arange(8)))) == 8


@pytest.mark.parametrize("keep_in_memory", ["always", "never"])
@pytest.mark.parametrize("has_index", [True, False])
def test_damage_is_named_with_its_shard(prepared, keep_in_memory, has_index):
    def read():
        return Pairs(
            prepared, config=DataConfig(keep_in_memory=keep_in_memory)
        ).train.images[:]

    if has_index:
        read()
    second, third = shard(prepared, 1), shard(prepared, 2)
    content = second.read_bytes()

    second.write_bytes(content[:-1])
    with pytest.raises(UserError, match=f"{second}: .*truncated"):
        read()
    length = int.from_bytes(content[:8], "little")
    second.write_bytes(content[: length + 16])  # ends with a complete record
    with pytest.raises(UserError, match=f"{second}: it "):
        read()
    second.write_bytes(content + content)
    with pytest.raises(UserError, match=f"{second}: it "):
        read()
    second.unlink()
    with pytest.raises(UserError, match=f"{second}: it does not exist"):
        read()
    second.write_bytes(third.read_bytes())
    third.write_bytes(content)
    with pytest.raises(UserError, match=str(second)):
        read()


def test_a_flipped_bit_is_found_when_the_index_is_made(prepared):
    content = bytearray(shard(prepared, 1).read_bytes())
    content[len(content) // 2] ^= 1
    shard(prepared, 1).write_bytes(content)
    with pytest.raises(UserError, match=f"{shard(prepared, 1)}: corrupted record"):
        _ = stored(prepared).captions


def test_a_shard_that_is_damaged_later_is_named(prepared):
    split = stored(prepared)
    images = split.images
    path = shard(prepared, 0)
    content = bytearray(path.read_bytes())
    content[20:400] = bytes(380)
    path.write_bytes(content)
    with pytest.raises(UserError, match=str(path)):
        images.shards.check()
    path.write_bytes(content[:100])
    with pytest.raises(UserError, match=f"{path}: it is truncated"):
        images.shards.read(np.arange(3))
    with pytest.raises(UserError, match=f"{path}: "):
        images.shards.check()


def test_a_damaged_index_is_made_again(prepared):
    captions = list(stored(prepared).captions)
    index = prepared / "train.index.arrow"
    flipped = index.read_bytes().replace(b"two dogs", b"two digs")
    for content in (b"", index.read_bytes()[:300], flipped):
        index.write_bytes(content)
        assert list(stored(prepared).captions) == captions
    assert not list(prepared.glob("*.partial"))


def test_a_pixel_that_changed_is_noticed(prepared):
    images = stored(prepared).images
    content = bytearray(shard(prepared, 0).read_bytes())
    content[len(content) // 2] ^= 1
    shard(prepared, 0).write_bytes(content)
    with pytest.raises(UserError, match="a record has another checksum"):
        images.shards.read(np.arange(len(images)))


def read_all(images):
    return images[:]


def train_dual_encoder_on(images):
    config = CaptionsConfig(
        dual_encoder_members=1, joint_dim=4, caption_length=3, dual_encoder_batch_size=4
    )
    token_ids = np.ones((8, 1, 3), np.int32)
    encoder = build_image_encoder("conv", 16, filters=[4])
    train_dual_encoder(config, (images, token_ids), (images, token_ids), 5, encoder)


def tiny_classifier(images):
    branches = build_conv_branch(16, [4], 4), build_text_branch(9, None, 4, "lstm")
    token_ids, labels = np.ones((8, 1, 5), np.int32), np.arange(8) % 2
    texts = [["a"]] * 8
    examples = PairExamples([""] * 8, images, texts, labels, token_ids)
    return build_classifier(2, *branches), examples


def train_classifier_on(images):
    network, examples = tiny_classifier(images)
    NetworkTrainer(network, ClassifierConfig()).fit(examples, np.arange(8), 1)


def classify(images):
    network, examples = tiny_classifier(images)
    predict(network, examples.inputs(network), 4)


@pytest.mark.parametrize(
    "use", [read_all, train_dual_encoder_on, train_classifier_on, classify]
)
def test_a_shard_that_changes_while_it_is_used_is_named(prepared, use):
    images, path = stored(prepared).images, shard(prepared, 1)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"data set is damaged: {path}: corrupted"):
        use(images)


def test_a_changed_description_is_noticed(prepared):
    path = prepared / "data.json"
    text, split = path.read_text(), stored(prepared)
    path.write_text(text.replace("1003.jpg", "1004.jpg"))
    with pytest.raises(UserError, match="data.json is damaged: its content"):
        stored(prepared)
    content = json.loads(text)
    del content["checksum"]  # as earlier versions wrote it
    path.write_text(json.dumps(content))
    assert stored(prepared) == split


@pytest.mark.parametrize("name", ["dataset_info.json", "data.json"])
def test_damaged_descriptions_are_named(prepared, name):
    for text in ("", "[]", "{}"):
        (prepared / name).write_text(text)
        with pytest.raises(UserError, match=f"data set is damaged: .*{name}"):
            _ = Pairs(prepared).train.shards


def test_a_full_disk_leaves_no_index(prepared, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(JobError, match="No space left"):
        _ = stored(prepared).captions
    assert not list(prepared.glob("*index*"))


def test_without_permission_the_index_is_made_in_memory(prepared, monkeypatch):
    def fail(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", fail)
    assert len(stored(prepared).captions) == 8
    assert not list(prepared.glob("*index*"))


def test_selected_images(prepared):
    disk, arrays = stored(prepared).images, read_at_once(prepared).images
    rows = np.array([6, 1, 3])
    selected = disk.select(rows)
    assert selected.shape == (3, 16, 16, 3)
    np.testing.assert_array_equal(np.asarray(selected), arrays[rows])
    np.testing.assert_array_equal(selected.select([2, 0])[:], arrays[[3, 6]])
    np.testing.assert_array_equal(np.stack(list(selected)), arrays[rows])
    for images in (disk, arrays):
        gather = gather_function(images)
        np.testing.assert_array_equal(gather(tf.constant(rows)), arrays[rows])


def test_batches_of_a_dual_encoder_and_a_classifier_are_the_same(prepared):
    classifier = build_classifier(
        2, build_conv_branch(16, [4], 4), build_text_branch(9, None, 4, "lstm")
    )
    token_ids = np.random.default_rng(0).integers(1, 9, (8, 3, 5)).astype("int32")
    labels = np.arange(8) % 2
    found, predictions = [], []
    for split in (stored(prepared), read_at_once(prepared)):
        examples = PairExamples(
            split.ids, split.images, split.captions, labels, token_ids
        )[np.array([7, 1, 2, 4, 5])]
        keras.utils.set_random_seed(0)
        batches = training_batches(examples, [0, 1, 4, 3], classifier, 2)
        pairs = dual_encoder_batches(split.images, token_ids, 4, 2)
        found.append([*batches, *batches, *pairs, *pairs])
        inputs = examples.inputs(classifier)
        predictions.append(predict(classifier, inputs, 2))
    for one, other in zip(*found, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, one, other)
    np.testing.assert_allclose(*predictions, rtol=1e-5)
