import csv

import numpy as np
import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data.layouts import table
from kerasgan.errors import UserError
from kerasgan.gan import image_files
from kerasgan.gan.image_files import save_image_files
from kerasgan.gan.image_generator import load_gan
from tests.export.makers import IMAGE_SIZE, LATENT_DIM, make_run
from tests.helpers import opened

CAPTIONS = ['a red boat, "Anna"', "=1+1", "@two dogs"]


def make_generator(path, **settings):
    return load_gan(make_run(path / "run", ("images",), **settings).path)


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return make_generator(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def grayscale(tmp_path_factory):
    """A generator of grayscale images, without captions."""
    path = tmp_path_factory.mktemp("runs")
    return make_generator(path, conditional=False, channels="grayscale")


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def images_of(path):
    files = [path.parent / row["image"] for row in rows_of(path)]
    return np.stack([np.asarray(opened(file)) for file in files]).astype(int)


def test_the_noise_of_a_row_gives_its_image(generator, tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "BATCH_SIZE", 4)  # ends within a caption
    path = save_image_files(
        generator, tmp_path / "deep" / "out", CAPTIONS, 3, seed=5, truncation=0.7
    )
    rows = rows_of(path)
    assert list(rows[0]) == ["image", "caption", "seed", "noise", "truncation"]
    assert [row["image"] for row in rows] == [f"0000{n}.png" for n in range(9)]
    assert [row["caption"] for row in rows] == [c for c in CAPTIONS for _ in range(3)]
    assert [row["noise"] for row in rows] == ["0", "1", "2"] * 3
    assert {row["seed"] for row in rows} == {"5"}
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == [*(row["image"] for row in rows), "images.csv"]
    noise = generator.noise(3, 5, 0.7)[[int(row["noise"]) for row in rows]]
    expected = generator.generate([row["caption"] for row in rows], noise=noise)
    assert abs(images_of(path) - expected).max() <= 1  # batches round differently


def test_the_data_set_table_reads_the_table(generator, tmp_path):
    path = save_image_files(generator, tmp_path / "out", CAPTIONS)
    annotations = table.read(DataConfig(dataset="table", source=str(path)), path)
    captions = [image.captions for image in annotations.images.values()]
    assert captions == [[caption] for caption in CAPTIONS]
    assert annotations.image_root == path.parent.resolve()
    assert "label None" in annotations.report.notes[0]


def test_grayscale_without_captions(grayscale, tmp_path):
    path = save_image_files(grayscale, tmp_path / "out", count=3, seed=1)
    assert [row["caption"] for row in rows_of(path)] == [""] * 3
    assert images_of(path).shape == (3, IMAGE_SIZE, IMAGE_SIZE)
    expected = grayscale.generate(count=3, seed=1)[..., 0]
    assert abs(images_of(path) - expected).max() <= 1


def test_images_with_their_nearest(grayscale, tmp_path):
    class Nearest:
        ids = ("x", "y")

        def find(self, images):
            return np.ones(len(images), int), np.full(len(images), 1 / 3)

    path = save_image_files(grayscale, tmp_path / "out", count=2, nearest=Nearest())
    for row in rows_of(path):
        assert (row["nearest"], row["nearest_distance"]) == ("y", "0.3333")


def test_many_files_sort_by_name(grayscale, tmp_path, monkeypatch):
    def generate(captions, noise):
        return np.zeros((len(noise), 1, 1, 1), "uint8")

    names = []
    monkeypatch.setattr(grayscale, "generate", generate)
    monkeypatch.setattr(
        image_files, "write_image", lambda path, image: names.append(path.name)
    )
    save_image_files(grayscale, tmp_path / "out", count=100_001)
    assert names[0] == "000000.png" and names[-1] == "100000.png"
    assert grayscale.noise(1).shape == (1, LATENT_DIM)


def test_an_interruption_leaves_no_table_and_no_broken_image(
    grayscale, tmp_path, monkeypatch
):
    monkeypatch.setattr(image_files, "BATCH_SIZE", 2)
    generate = grayscale.generate

    def fail_later(captions, noise):
        if list(tmp_path.glob("out/*.png")):
            raise KeyboardInterrupt
        return generate(captions, noise=noise)

    monkeypatch.setattr(grayscale, "generate", fail_later)
    with pytest.raises(KeyboardInterrupt):
        save_image_files(grayscale, tmp_path / "out", count=4)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["00000.png", "00001.png", "images.csv.partial"]


def test_nothing_is_overwritten(grayscale, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=f"The folder {tmp_path} is not empty"):
        save_image_files(grayscale, tmp_path)
    with pytest.raises(OSError, match="exists"):
        save_image_files(grayscale, tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert save_image_files(grayscale, tmp_path / "empty").is_file()
