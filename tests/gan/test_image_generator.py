import os

import numpy as np
import pytest

from kerasgan.errors import UserError
from kerasgan.gan import image_generator
from kerasgan.gan.image_generator import load_gan, save_imgs
from tests.export.makers import make_run
from tests.helpers import opened


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return load_gan(make_run(path, ("images",)).path)


@pytest.fixture(scope="module")
def unconditional(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return load_gan(make_run(path, ("images",), conditional=False).path)


def test_truncation_scales_the_noise(generator, tmp_path):
    noise = generator.noise(2, seed=3)
    assert noise.dtype == generator.noise(2, 3, 0.5).dtype == "float32"
    np.testing.assert_array_equal(generator.noise(2, 3, 0.5), np.float32(0.5) * noise)
    captions = ["a", "b"]
    np.testing.assert_array_equal(
        generator.generate(captions, seed=3, truncation=0.5),
        generator.generate(captions, noise=np.float32(0.5) * noise),
    )
    ends = generator.interpolate("a", "a", 2, 3, 0.5)
    halves = generator.generate(["a", "a"], noise=np.float32(0.5) * noise)
    assert abs(ends.astype(int) - halves).max() <= 1
    paths = [
        save_imgs(generator, tmp_path / f"{factor}.png", captions, truncation=factor)
        for factor in (1, 0.5)
    ]
    assert opened(paths[0]).tobytes() != opened(paths[1]).tobytes()


@pytest.mark.parametrize("truncation", [0, -1, 1.1, float("nan")])
def test_truncation_is_a_factor(generator, truncation):
    with pytest.raises(UserError, match=r"in \(0, 1\]. Received: "):
        generator.noise(2, truncation=truncation)


def test_long_interpolations_are_generated_in_batches(generator, monkeypatch):
    images = generator.interpolate("a red boat", "two dogs", 5).astype(int)
    monkeypatch.setattr(image_generator, "BATCH_SIZE", 2)
    batches = generator.interpolate("a red boat", "two dogs", 5)
    assert abs(images - batches).max() <= 1


def test_nearest_images_are_in_a_row_below(generator, unconditional, tmp_path):
    class Nearest:
        images = np.zeros((2, 32, 32, 3), "uint8")

        def find(self, images):
            return np.ones(len(images), int), np.zeros(len(images))

    path = tmp_path / "grid.png"
    for captions, generate in ((["a", "b"], generator), (None, unconditional)):
        save_imgs(generate, path, captions, 2, 3, nearest=Nearest())
        grid = np.asarray(opened(path))[:, -96:]  # the last column
        assert len(grid) == 4 * 98 - 2
        rows = grid[:96], grid[98:194], grid[196:292], grid[294:]
        assert [row.any() for row in rows] == [True, False, True, False]


def test_networks_of_two_trainings_are_refused(tmp_path, monkeypatch):
    run, rename = make_run(tmp_path / "run", ("images",)), os.replace
    trained = load_gan(run)

    def stop(source, target):
        if target.name == "generator.keras":
            raise KeyboardInterrupt
        rename(source, target)

    for network in (trained.generator, trained.counterpart):
        network.set_weights([weight + 1 for weight in network.get_weights()])
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            trained.save(run)
    with pytest.raises(UserError, match="generator.keras is damaged.*--resume"):
        load_gan(run)
    assert not list(run.models.glob("*partial*"))
    trained.save(run)
    assert load_gan(run).conditional
