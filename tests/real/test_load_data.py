"""The figures of the images that are at hand, if they are."""

import tarfile
from pathlib import Path

import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data import load_data

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    def unpack(name: str) -> Path:
        archive = SHARED / f"{name}.tar"
        if not archive.is_file():
            pytest.skip(f"the real images are not at hand: no {archive}")
        folder = tmp_path_factory.mktemp(name)
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        return folder

    return unpack


def test_flickr30k(unpacked, tmp_path):
    config = DataConfig(
        dataset="flickr30k",
        source=str(unpacked("flickr30k")),
        data_dir=str(tmp_path),
        image_size=64,
        sample="paper",
    )
    pairs = load_data(config, progress=False)
    info = pairs.info
    assert (info["images"], info["captions"]) == (7478, 37390)
    assert (info["repaired"], info["skipped"]) == (1, {})
    assert info["examples"][0]["value"] == (
        "2199200615.jpg| 4   A dog runs across the grass ."
    )
    assert (info["sample"]["size"], info["train"], info["test"]) == (384, 307, 77)
    assert info["train_ids"][:3] == TRAIN_IDS
    assert pairs.train.images.shape == (307, 64, 64, 3)
    assert {len(captions) for captions in pairs.train.captions} == {5}


TRAIN_IDS = ["1015118661.jpg", "1026685415.jpg", "1042590306.jpg"]


def test_flickr8k(unpacked, tmp_path):
    config = DataConfig(
        dataset="flickr8k",
        source=str(unpacked("flickr8k_native")),
        data_dir=str(tmp_path),
        image_size=32,
    )
    info = load_data(config, progress=False).info
    assert (info["images"], info["captions"], info["skipped"]) == (100, 500, {})


def test_fashion(unpacked, tmp_path):
    (table,) = unpacked("fashion").rglob("manifest.csv")
    config = DataConfig(
        dataset="table", source=str(table), data_dir=str(tmp_path), image_size=32
    )
    pairs = load_data(config, progress=False)
    assert (pairs.info["images"], pairs.info["skipped"]) == (9583, {})
    assert pairs.label_names[:2] == ["Accessories", "Apparel"]
    assert len(pairs.train.labels) == 7666
