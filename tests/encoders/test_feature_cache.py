"""Features of data sets on the disk."""

import shutil
import types

import keras
import numpy as np
import pytest

from kerasgan.encoders import feature_cache
from kerasgan.encoders.feature_cache import (
    average_pool,
    cached_features,
    cached_views,
    encode_images,
)
from kerasgan.encoders.stored_features import SelectedRows
from kerasgan.errors import JobError

COUNT, SHARD_SIZE = 12, 5


@pytest.fixture
def image_encoder():
    images = keras.Input((8, 8, 3))
    return keras.Model(images, keras.layers.AveragePooling2D(4)(images / 255))


@pytest.fixture
def split(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_cache, "SHARD_SIZE", SHARD_SIZE)
    images = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8, 3)).astype("uint8")
    return types.SimpleNamespace(path=tmp_path, name="train", images=images)


@pytest.mark.parametrize("mirrored", [False, True])
def test_files_are_indexed_like_one_array(image_encoder, split, mirrored):
    expected = encode_images(image_encoder, split.images, mirrored, np.float16)
    features = cached_features(image_encoder, "conv", split, mirrored=mirrored)
    assert len(features.shards) == 3 and len(features) == COUNT
    assert (features.shape, features.dtype) == (expected.shape, expected.dtype)
    assert features.nbytes == expected.nbytes
    rows = np.array([11, 0, 4, 5, 5, 9])
    for key in (slice(None), slice(3, 12, 4), rows, 10, -1):
        np.testing.assert_array_equal(features[key], expected[key])
    np.testing.assert_array_equal(np.asarray(features), expected)
    np.testing.assert_array_equal(average_pool(features), average_pool(expected))
    selected = SelectedRows(features, rows)
    assert selected.shape == (6, *expected.shape[1:]) and len(selected) == 6
    np.testing.assert_array_equal(selected[[1, 5]], expected[[0, 9]])
    np.testing.assert_array_equal(selected[2:4], expected[4:6])


def test_damaged_files_are_computed_again(image_encoder, split):
    expected = cached_features(image_encoder, "conv", split)[:]
    for path in (split.path / "conv-train").iterdir():
        content = bytearray(path.read_bytes())
        content[-20] ^= 1
        path.write_bytes(content)
        found = cached_features(image_encoder, "conv", split)[:]
        np.testing.assert_array_equal(found, expected)


def test_a_full_disk_keeps_complete_files_only(image_encoder, split, monkeypatch):
    save, saved = np.save, []

    def fail_at_second(file, features):
        if saved:
            file.write(b"half")
            raise OSError(28, "No space left on device")
        saved.append(features)
        save(file, features)

    with monkeypatch.context() as patch:
        patch.setattr("numpy.save", fail_at_second)
        with pytest.raises(JobError, match="No space left"):
            cached_features(image_encoder, "conv", split)
    files = [path.name for path in (split.path / "conv-train").iterdir()]
    assert files == ["00000-of-00003.npy"]

    encoded = []
    monkeypatch.setattr(
        feature_cache,
        "encode_images",
        lambda *args: encoded.append(args[1]) or encode_images(*args),
    )
    features = cached_features(image_encoder, "conv", split)
    assert sum(map(len, encoded)) == COUNT - SHARD_SIZE  # the first file was kept
    expected = encode_images(image_encoder, split.images, dtype=np.float16)
    np.testing.assert_array_equal(features[:], expected)


def test_features_that_cannot_fit_are_not_computed(image_encoder, split, monkeypatch):
    usage = types.SimpleNamespace(free=100)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    monkeypatch.setattr(feature_cache, "encode_images", lambda *_: pytest.fail("began"))
    with pytest.raises(JobError, match="are needed"):
        cached_features(image_encoder, "conv", split)


def test_both_views_must_fit_before_the_first_is_computed(
    image_encoder, split, monkeypatch
):
    size = cached_features(image_encoder, "conv", split).nbytes
    plain, mirrored = cached_views(image_encoder, "conv", split)
    np.testing.assert_array_equal(
        plain[:], cached_features(image_encoder, "conv", split)
    )
    assert not np.array_equal(plain[:], mirrored[:])
    shutil.rmtree(split.path / "conv-train")
    shutil.rmtree(split.path / "conv-mirrored-train")
    usage = types.SimpleNamespace(free=1.5 * size)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    monkeypatch.setattr(feature_cache, "encode_images", lambda *_: pytest.fail("began"))
    with pytest.raises(JobError, match="are needed"):
        cached_views(image_encoder, "conv", split)


def test_a_split_without_images_has_no_features(image_encoder, split):
    split.images = split.images[:0]
    features = cached_features(image_encoder, "conv", split)
    assert features.shape == (0, 2, 2, 3) and features[:].shape == (0, 2, 2, 3)
