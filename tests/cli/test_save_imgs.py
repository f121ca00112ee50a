import csv

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from kerasgan.cli import main
from kerasgan.gan import image_generator
from tests.export.makers import IMAGE_SIZE, make_run


def call(*arguments, status=0, text=None):
    names = [str(argument) for argument in arguments]
    result = CliRunner().invoke(main, ["save-imgs", *names], input=text)
    assert result.exit_code == status, result.output
    return result


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "run", ("images",)).path


@pytest.fixture(scope="module")
def unconditional(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return make_run(path, ("images",), conditional=False).path


def rows_of(folder):
    with open(folder / "images.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_single_files_with_a_table(run, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasgan.gan.image_files.BATCH_SIZE", 4)
    captions = ['a red boat, "Anna"', "=1+1"]
    given = [f"--caption={text}" for text in captions]
    call(run, *given, "--count=3", "--out", tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert [row["caption"] for row in rows] == [captions[0]] * 3 + [captions[1]] * 3
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [*(f"{n:06d}.png" for n in range(6)), "images.csv"]
    images = [np.asarray(Image.open(tmp_path / "out" / row["image"])) for row in rows]
    assert all(image.shape == (IMAGE_SIZE, IMAGE_SIZE, 3) for image in images)
    assert (images[0] != images[1]).any()
    result = call(run, *given, "--count=1", "--out", tmp_path / "out", status=2)
    assert "is not empty" in result.output


def test_single_files_without_captions(unconditional, tmp_path):
    call(unconditional, "--count=2", "--out", tmp_path / "out")
    assert [row["caption"] for row in rows_of(tmp_path / "out")] == ["", ""]
    result = call(
        unconditional, "--caption=a", "--count=2", "--out", tmp_path / "b", status=2
    )
    assert "without captions" in result.output


def test_captions_from_files(run, tmp_path):
    text = tmp_path / "captions.txt"
    text.write_text("\ufeffa red boat\n\n  two dögs \r\n", encoding="utf-8")
    table = tmp_path / "captions.csv"
    table.write_text("caption,price\na red boat,1\ntwo dögs,2\n", encoding="utf-8")
    for number, given in enumerate([text, table, "-"]):
        out = tmp_path / str(number)
        lines = "a red boat\ntwo dögs\n"
        call(run, "--captions", given, "--count=1", "--out", out, text=lines)
        captions = [row["caption"] for row in rows_of(out)]
        assert captions == ["a red boat", "two dögs"]


def test_unreadable_caption_files(run, tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "latin.txt").write_bytes("Mädchen".encode("latin-1"))
    for name, message in (
        ("empty.txt", "has no captions"),
        ("latin.txt", "is not UTF-8"),
        ("none.txt", "No such file"),
    ):
        result = call(run, "--captions", tmp_path / name, status=2)
        assert message in result.output


def test_truncation_scales_the_noise(run, tmp_path):
    generator = image_generator.load_gan(run)
    noise = generator.noise(2, seed=3)
    np.testing.assert_allclose(generator.noise(2, 3, 0.5), 0.5 * noise)
    captions = ["a", "b"]
    np.testing.assert_array_equal(
        generator.generate(captions, seed=3, truncation=0.5),
        generator.generate(captions, noise=0.5 * noise),
    )
    with pytest.raises(ValueError, match=r"\(0, 1\]. Received: 0"):
        generator.noise(2, truncation=0)
    call(run, "--caption=a", "--truncation=0.5", "--out", tmp_path / "a.png")
    assert "--truncation" in call(run, "--truncation=2", status=2).output


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_animations(run, unconditional, tmp_path, suffix):
    path = tmp_path / f"morph.{suffix}"
    given = ["--caption=a red boat", "--caption=two dogs"]
    call(run, *given, "--interpolate", "--frames=3", "--out", path)
    with Image.open(path) as animation:
        assert animation.n_frames == 6 and animation.info["loop"] == 0
        assert animation.width == 256
    call(unconditional, "--interpolate", "--frames=4", "--out", path)
    with Image.open(path) as animation:
        assert 4 <= animation.n_frames <= 8  # equal neighbors are joined


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count=2"], "--count needs a folder"),
        (["--count=2", "--out=a.png"], "--count needs a folder"),
        (["--count=2", "--columns=2", "--out=a"], "--columns cannot"),
        (["--count=2", "--interpolate", "--out=a"], "--interpolate cannot"),
        (["--interpolate", "--nearest"], "--nearest"),
        (["--frames=3"], "--frames needs --interpolate"),
        (["--interpolate", "--frames=3", "--out=a.png"], "--frames needs .gif"),
        (["--out=a.gif"], "must end in .png"),
        (["--interpolate", "--out=a.mp4"], "must end in .png or .gif or .webp"),
    ],
)
def test_combinations_that_have_no_meaning(run, arguments, message):
    assert message in call(run, *arguments, status=2).output
