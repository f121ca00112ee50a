import csv
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from kerasgan.cli import main
from kerasgan.gan import nearest_images
from tests.export.makers import IMAGE_SIZE, make_run
from tests.helpers import opened

BOAT, DOGS = "--caption=a red boat", "--caption=two dogs"


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
    run = make_run(path, ("images",), conditional=False)
    run.write_data({"train_ids": ["a.png", "b.png", "c.png"], "test_ids": []})
    return run.path


def rows_of(folder):
    with open(folder / "images.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_single_files_with_a_table(run, tmp_path):
    out = tmp_path / "out"
    result = call(run, BOAT, DOGS, "--count=3", "--seed=4", "--out", out)
    assert result.stdout.endswith(f"{out / 'images.csv'}\n")
    rows = rows_of(out)
    assert [row["caption"] for row in rows] == ["a red boat"] * 3 + ["two dogs"] * 3
    assert {row["seed"] for row in rows} == {"4"}
    assert opened(out / rows[-1]["image"]).size == (IMAGE_SIZE, IMAGE_SIZE)
    result = call(run, BOAT, "--count=1", "--out", out, status=2)
    assert f"{out} is not an empty folder" in result.output
    (tmp_path / "file").touch()
    call(run, BOAT, "--count=1", "--out", tmp_path / "file", status=2)
    call(run, BOAT, "--truncation=nan", status=2)


def test_single_files_without_captions(unconditional, tmp_path):
    call(unconditional, "--count=2", "--out", tmp_path / "out")
    assert [row["caption"] for row in rows_of(tmp_path / "out")] == ["", ""]


def test_captions_from_a_file_follow_those_of_options(run, tmp_path):
    table = tmp_path / "captions.jsonl"
    table.write_text('{"caption": "two dögs"}\n{"ca\n', encoding="utf-8")
    result = call(
        *(run, "--captions", table, BOAT, "--count=1", "--out", tmp_path / "a")
    )
    assert "Skipped: 1 × malformed row." in result.stderr
    lines = "two dögs\n"
    call(run, BOAT, "--captions=-", "--count=1", "--out", tmp_path / "b", text=lines)
    for out in (tmp_path / "a", tmp_path / "b"):
        assert [row["caption"] for row in rows_of(out)] == ["a red boat", "two dögs"]
    call(run, BOAT, "--captions=-", "--out", tmp_path / "grid.png", text=lines)
    assert opened(tmp_path / "grid.png").height == 2 * 98 - 2


def test_captions_are_rejected(run, unconditional, tmp_path):
    captions = tmp_path / "captions.txt"
    captions.write_text("\n".join(f"caption {number}" for number in range(65)))
    result = call(run, "--captions", captions, status=2)
    assert "use --count and --out FOLDER for more. Received: 65" in result.output
    for given in (["--captions", captions, "--count=1", "--out=a"], ["--caption=a"]):
        result = call(unconditional, *given, status=2)
        assert "was trained without captions" in result.output
    assert "No such file" in call(run, "--captions=none.txt", status=2).output


def test_truncation(run, tmp_path):
    paths = [tmp_path / name for name in ("whole.png", "half.png")]
    call(run, BOAT, "--out", paths[0])
    call(run, BOAT, "--truncation=0.5", "--out", paths[1])
    spreads = [np.asarray(opened(path))[:, -386:].std(axis=1).mean() for path in paths]
    assert spreads[1] < spreads[0]
    for value in ("0", "1.5", "nan"):
        result = call(run, BOAT, f"--truncation={value}", status=2)
        assert "truncation" in result.output


def test_nearest(unconditional, tmp_path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), "uint8")
    train = SimpleNamespace(images=images[:3], ids=["a.png", "b.png", "c.png"])
    test = SimpleNamespace(images=images[3:])
    data = SimpleNamespace(train=train, test=test, info={})
    monkeypatch.setattr(nearest_images, "require_same_data", lambda *_: None)
    monkeypatch.setattr(nearest_images, "find_weights", lambda: None)
    monkeypatch.setattr(nearest_images, "load_data", lambda *_: data)
    monkeypatch.setattr(
        nearest_images,
        "pooled_features",
        lambda images, scale: images.reshape(len(images), -1).astype("float32"),
    )
    out = tmp_path / "grid.png"
    result = call(unconditional, "--nearest", "--rows=2", "--columns=3", "--out", out)
    assert "Median distance to the nearest training image: " in result.stderr
    assert ", of real held-out images: " in result.stderr
    assert result.stdout == f"{out}\n"
    assert opened(out).height == 4 * 98 - 2
    call(unconditional, "--nearest", "--count=2", "--out", tmp_path / "out")
    for row in rows_of(tmp_path / "out"):
        assert row["nearest"] in train.ids
        assert 0 <= float(row["nearest_distance"]) <= 2
    monkeypatch.setattr(nearest_images, "load_data", None)
    result = call(
        unconditional, "--nearest", "--count=2", "--out", tmp_path / "out", status=2
    )
    assert "not an empty folder" in result.output  # before anything is encoded


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_animations(run, unconditional, tmp_path, suffix):
    path = tmp_path / f"animation.{suffix}"
    call(run, BOAT, DOGS, "--interpolate", "--frames=3", "--out", path)
    with Image.open(path) as animation:
        assert 2 <= animation.n_frames <= 6 and animation.info["loop"] == 0
    call(unconditional, "--interpolate", "--frames=4", "--out", path)
    assert opened(path).format == suffix.upper()
    result = call(unconditional, "--interpolate", "--rows=2", "--out", path, status=2)
    assert "--rows needs a grid or captions" in result.output


def test_interpolation_as_a_grid(unconditional):
    call(unconditional, "--interpolate", "--rows=2", "--columns=3", "--seed=7")
    grid = opened(unconditional / "images" / "strip-seed7.png")
    assert grid.size == (3 * 98 - 2, 2 * 98 - 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--caption=a", "--rows=2"], "--rows cannot be combined with --caption"),
        (["--captions=a.txt", "--rows=2"], "--rows cannot be combined"),
        (["--count=0"], "'--count'"),
        (["--count=2"], "--count needs a folder as --out. Received: None"),
        (["--count=2", "--out=a.png"], "--count needs a folder as --out"),
        (["--count=2", "--columns=2", "--out=a"], "--columns cannot be combined"),
        (["--count=2", "--interpolate", "--out=a"], "--interpolate cannot be combined"),
        (["--interpolate", "--nearest"], "--interpolate cannot be combined with"),
        (["--interpolate", "--columns=2", "--out=a.gif"], "with an animation"),
        (["--frames=3"], "--frames needs --interpolate and"),
        (["--interpolate", "--frames=3", "--out=a.png"], ".gif or .webp. Received: a"),
        (["--interpolate", "--frames=1", "--out=a.gif"], "'--frames'"),
        (["--out=a.gif"], "must end in .png. Received: a.gif"),
        (["--interpolate", "--out=a.mp4"], "must end in .png or .gif or .webp"),
    ],
)
def test_combinations_that_have_no_meaning(run, arguments, message):
    assert message in call(run, *arguments, status=2).output


def test_a_folder_is_not_an_image(run, tmp_path):
    (tmp_path / "a.png").mkdir()
    assert "is a folder" in call(run, "--out", tmp_path / "a.png", status=2).output
