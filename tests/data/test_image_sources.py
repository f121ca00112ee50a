import contextlib
import os
import unicodedata

import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data.image_sources import FileImages, find_image
from kerasgan.data.images import BadImage
from kerasgan.data.layouts import read_annotations
from tests.data import makers


@pytest.fixture
def root(tmp_path):
    """A folder of images, with an image beside it that must not be read."""
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
def test_files_inside_the_folder_are_located(root, name):
    assert find_image(root, name).status.st_size > 100


@pytest.mark.parametrize(
    "name, reason",
    [
        ("../secret.jpg", "outside the image folder"),
        ("../nothing.jpg", "outside the image folder"),
        ("../images2/c.jpg", "outside the image folder"),
        ("sub/../../secret.jpg", "outside the image folder"),
        ("out.jpg", "outside the image folder"),
        ("away/secret.jpg", "outside the image folder"),
        ("..", "outside the image folder"),
        ("/etc/passwd", "absolute path"),
        ("nothing.jpg", "missing file"),
        ("nowhere/a.jpg", "missing file"),
        ("dangling.jpg", "missing file"),
        ("a.jpg/a.jpg", "missing file"),
        ("a\x00.jpg", "missing file"),
        ("x" * 300, "missing file"),
        ("https://example.org/a.jpg", "URL instead of a file"),
        ("sub", "not a regular file"),
        ("pipe.jpg", "not a regular file"),
        ("sub\\nothing.jpg", "missing file"),
        ("sub\\..\\..\\secret.jpg", "missing file"),
        ("..\\secret.jpg", "missing file"),
    ],
)
def test_all_other_names_have_a_reason(root, name, reason):
    with pytest.raises(BadImage, match=f"^{reason}$"):
        find_image(root, name)


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_table", ["NFC", "NFD"])
def test_composed_and_decomposed_names_are_equal(root, on_disk, in_table):
    name = "f\u00fcr/\u00e9lise.jpg"
    path = root / unicodedata.normalize(on_disk, name)
    path.parent.mkdir()
    (root / "a.jpg").rename(path)
    found = find_image(root, unicodedata.normalize(in_table, name))
    assert found.path == str(path)


def test_the_separators_of_windows_are_read(root):
    assert find_image(root, "sub\\b.jpg").path == str(root / "sub/b.jpg")
    (root / "sub\\b.jpg").write_bytes(b"a file with this very name comes first")
    assert find_image(root, "sub\\b.jpg").path == str(root / "sub\\b.jpg")


def test_an_absolute_name_is_rejected_even_inside(root):
    with pytest.raises(BadImage, match="absolute path"):
        find_image(root, str(root / "a.jpg"))


def test_no_file_outside_is_opened(root, monkeypatch):
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
        with contextlib.suppress(BadImage):
            files.load(name)
    assert opened == [str(root / "a.jpg")]


def test_an_image_that_changes_while_reading(root):
    config = DataConfig(dataset="table", image_size=8)
    table = makers.table(root, ["image,caption", "a.jpg,x", "sub/b.jpg,y"])
    files = FileImages(read_annotations(config, table), config)
    assert files.load("sub/b.jpg").captions == ["y"]
    (root / "a.jpg").write_bytes(makers.encoded(makers.pixels(5, 60, 60)))
    with pytest.raises(BadImage, match="changed"):
        files.load("a.jpg")
    (root / "sub" / "b.jpg").unlink()
    with pytest.raises(BadImage, match="unreadable file"):
        files.load("sub/b.jpg")
