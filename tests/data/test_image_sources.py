import os

import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data.image_sources import FileImages, locate_images
from kerasgan.data.images import BadImage
from kerasgan.data.layouts import read_annotations
from tests.data import makers


@pytest.fixture
def root(tmp_path):
    """A folder of images with a secret beside it."""
    folder = (tmp_path / "images").resolve()
    makers.write_images(folder, ["a.jpg"])
    makers.write_images(folder / "sub", ["b.jpg"])
    makers.write_images(tmp_path, ["secret.jpg"], first_seed=9)
    (tmp_path / "images2").mkdir()
    makers.write_images(tmp_path / "images2", ["c.jpg"])
    (folder / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "in.jpg").symlink_to(folder / "a.jpg")
    (folder / "away").symlink_to(tmp_path)
    (folder / "dangling.jpg").symlink_to(folder / "nothing.jpg")
    os.mkfifo(folder / "pipe.jpg")
    return folder


@pytest.mark.parametrize(
    "name", ["a.jpg", "sub/b.jpg", "in.jpg", "sub/../a.jpg", "./a.jpg"]
)
def test_files_inside_are_found(root, name):
    assert locate_images(root, name).st_size > 100


@pytest.mark.parametrize(
    "name, reason",
    [
        ("../secret.jpg", "outside the folder"),
        ("../nothing.jpg", "outside the folder"),
        ("../images2/c.jpg", "outside the folder"),
        ("sub/../../secret.jpg", "outside the folder"),
        ("out.jpg", "outside the folder"),
        ("away/secret.jpg", "outside the folder"),
        ("..", "outside the folder"),
        ("/etc/passwd", "absolute name"),
        ("nothing.jpg", "missing"),
        ("nowhere/a.jpg", "missing"),
        ("dangling.jpg", "missing"),
        ("a.jpg/a.jpg", "missing"),
        ("a\x00.jpg", "missing"),
        ("x" * 300, "missing"),
        ("https://example.org/a.jpg", "an address, not a file"),
        ("sub", "not a file"),
        ("pipe.jpg", "not a file"),
    ],
)
def test_all_others_have_a_reason(root, name, reason):
    with pytest.raises(BadImage, match=f"^{reason}$"):
        locate_images(root, name)


def test_an_absolute_name_is_refused_even_inside(root):
    with pytest.raises(BadImage, match="absolute name"):
        locate_images(root, str(root / "a.jpg"))


def test_nothing_outside_is_opened(root, monkeypatch):
    rows = [
        "image,caption",
        "out.jpg,x",
        "../secret.jpg,x",
        "away/secret.jpg,x",
        "a.jpg,x",
    ]
    config = DataConfig(dataset="table", image_size=8)
    files = FileImages(read_annotations(config, makers.table(root, rows)), config)
    opened = []
    real_open = open
    monkeypatch.setattr(
        "builtins.open",
        lambda path, *args: opened.append(str(path)) or real_open(path, *args),
    )
    for name in files.ids:
        try:
            files.make(name)
        except BadImage:
            pass
    assert opened == [str(root / "a.jpg")]


def test_a_image_that_changes_while_it_is_read(root):
    config = DataConfig(dataset="table", image_size=8)
    table = makers.table(root, ["image,caption", "a.jpg,x", "sub/b.jpg,y"])
    files = FileImages(read_annotations(config, table), config)
    assert files.make("sub/b.jpg").captions == ["y"]
    (root / "a.jpg").write_bytes(makers.coded(makers.pixels(5, 60, 60)))
    with pytest.raises(BadImage, match="changed"):
        files.make("a.jpg")
    (root / "sub" / "b.jpg").unlink()
    with pytest.raises(BadImage, match="unreadable"):
        files.make("sub/b.jpg")
