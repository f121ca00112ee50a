import os

import pytest

from kerasgan.config import DataConfig
from kerasgan.data.layouts import read_annotations
from kerasgan.data.pictures import BadPicture
from kerasgan.data.sources import Files, locate
from tests.data import makers


@pytest.fixture
def root(tmp_path):
    """A folder of pictures with a secret beside it."""
    folder = (tmp_path / "pictures").resolve()
    makers.write_pictures(folder, ["a.jpg"])
    makers.write_pictures(folder / "sub", ["b.jpg"])
    makers.write_pictures(tmp_path, ["secret.jpg"], first_seed=9)
    (tmp_path / "pictures2").mkdir()
    makers.write_pictures(tmp_path / "pictures2", ["c.jpg"])
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
    assert locate(root, name).st_size > 100


@pytest.mark.parametrize(
    "name, reason",
    [
        ("../secret.jpg", "outside the folder"),
        ("../nothing.jpg", "outside the folder"),
        ("../pictures2/c.jpg", "outside the folder"),
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
    with pytest.raises(BadPicture, match=f"^{reason}$"):
        locate(root, name)


def test_an_absolute_name_is_refused_even_inside(root):
    with pytest.raises(BadPicture, match="absolute name"):
        locate(root, str(root / "a.jpg"))


def test_nothing_outside_is_opened(root, monkeypatch):
    rows = [
        "image,caption",
        "out.jpg,x",
        "../secret.jpg,x",
        "away/secret.jpg,x",
        "a.jpg,x",
    ]
    config = DataConfig(dataset="table", image_size=8)
    files = Files(read_annotations(config, makers.table(root, rows)), config)
    opened = []
    real_open = open
    monkeypatch.setattr(
        "builtins.open",
        lambda path, *args: opened.append(str(path)) or real_open(path, *args),
    )
    for name in files.ids:
        try:
            files.make(name)
        except BadPicture:
            pass
    assert opened == [str(root / "a.jpg")]


def test_a_picture_that_changes_while_it_is_read(root):
    config = DataConfig(dataset="table", image_size=8)
    table = makers.table(root, ["image,caption", "a.jpg,x", "sub/b.jpg,y"])
    files = Files(read_annotations(config, table), config)
    assert files.make("sub/b.jpg").captions == ["y"]
    (root / "a.jpg").write_bytes(makers.coded(makers.pixels(5, 60, 60)))
    with pytest.raises(BadPicture, match="changed"):
        files.make("a.jpg")
    (root / "sub" / "b.jpg").unlink()
    with pytest.raises(BadPicture, match="unreadable"):
        files.make("sub/b.jpg")
