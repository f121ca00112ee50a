import numpy as np
import pytest
from PIL import Image

from kerasgan.gan import interpolation
from kerasgan.gan.image_generator import load_gan
from kerasgan.gan.interpolation import save_animation, save_interpolation_grid
from tests.export.makers import IMAGE_SIZE, make_run
from tests.helpers import opened


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return load_gan(make_run(path, ("images",)).path)


@pytest.fixture(scope="module")
def unconditional(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return load_gan(make_run(path, ("images",), conditional=False).path)


def durations(path, side=256):
    """Milliseconds of each frame; equal neighbors are one frame."""
    with Image.open(path) as animation:
        assert animation.info["loop"] == 0
        assert animation.size == (side, side)
        found = []
        for frame in range(animation.n_frames):
            animation.seek(frame)
            animation.load()
            found.append(animation.info["duration"])
    return found


@pytest.mark.parametrize("suffix", ["gif", "webp", "GIF"])
def test_frames(generator, unconditional, tmp_path, suffix):
    path = tmp_path / "new" / f"animation.{suffix}"
    captions = ["a red boat", "two dogs", "a house"]
    assert save_animation(generator, path, captions, frames=3) == path
    assert sum(durations(path)) == 9 * 80
    save_animation(unconditional, path, frames=4)
    assert sum(durations(path)) == 8 * 80
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_default_number_of_frames(unconditional, tmp_path, monkeypatch):
    monkeypatch.setattr(interpolation, "MIN_SIDE", IMAGE_SIZE)
    path = save_animation(unconditional, tmp_path / "animation.gif")
    assert sum(durations(path, IMAGE_SIZE)) == 2 * 24 * 80


@pytest.mark.parametrize(
    ("captions", "pairs"),
    [
        (["a", "b"], "ab ba"),
        (["a", "b", "c"], "ab bc ca"),
        (["a", "a", "b", "b", "a"], "ab ba"),
    ],
)
def test_captions_follow_one_another(generator, captions, pairs):
    images = interpolation._looping_images(generator, captions, 3, 2, 0.5)
    expected = [generator.interpolate(*pair, 4, 2, 0.5)[:3] for pair in pairs.split()]
    np.testing.assert_array_equal(images, np.concatenate(expected))


@pytest.mark.parametrize("captions", [["a"], ["a", "a"]])
def test_one_caption_leads_to_other_noise_and_back(generator, captions):
    images = interpolation._looping_images(generator, captions, 3, 2, 1.0)
    strip = generator.interpolate("a", "a", 4, 2)
    np.testing.assert_array_equal(images, strip[[0, 1, 2, 3, 2, 1]])


def test_other_formats_are_rejected(unconditional, tmp_path):
    with pytest.raises(ValueError, match=r"must end in .gif or .webp. Received: a.mp4"):
        save_animation(unconditional, "a.mp4")


def test_grids(generator, unconditional, tmp_path):
    path = tmp_path / "new" / "grid.png"
    save_interpolation_grid(unconditional, path, rows=2, columns=3)
    side = IMAGE_SIZE * 3 + 2
    assert opened(path).size == (3 * side - 2, 2 * side - 2)
    save_interpolation_grid(generator, path, ["a", "b", "c"], columns=3)
    assert opened(path).height == 2 * side - 2
