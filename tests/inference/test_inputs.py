import os

import pandas
import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data.images import MAX_FILE_BYTES, BadImage
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.inference.inputs import (
    inputs_fingerprint,
    inputs_from_paths,
    inputs_from_table,
)
from tests.data import format_makers, makers


def read_errors(inputs):
    """Returns the reason why each image cannot be read, or None, by name."""
    errors = {}
    for inference_input in inputs:
        try:
            inference_input.read()
            errors[inference_input.name] = None
        except BadImage as error:
            errors[inference_input.name] = str(error)
    return errors


def test_images_in_folders_are_sorted_and_inside(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    makers.write_images(inside / "b", ["2.JPG", "10.png"])
    makers.write_images(inside, ["c.webp", "notes.txt"])
    makers.write_images(outside, ["secret.jpg"])
    makers.write_images(inside, ["._c.webp"])
    makers.write_images(inside / ".cache", ["d.jpg"])
    makers.write_images(inside / "__MACOSX", ["c.webp"])
    (inside / "a.jpg").symlink_to(outside / "secret.jpg")
    (inside / "d.jpg").symlink_to("b/2.JPG")
    (inside / "e").symlink_to(outside)
    (inside / "f").symlink_to("b")
    (inside / "g.jpg").symlink_to("nowhere")
    alone = outside / "secret.jpg"
    errors = read_errors(inputs_from_paths([str(inside), str(alone)], ["one text"]))
    assert list(errors.items()) == list(
        {
            f"{inside}/a.jpg": "outside the image folder",
            f"{inside}/b/10.png": None,
            f"{inside}/b/2.JPG": None,
            f"{inside}/c.webp": None,
            f"{inside}/d.jpg": None,
            f"{inside}/e": "outside the image folder",
            f"{inside}/g.jpg": "missing file",
            str(alone): None,
        }.items()
    )
    inputs = inputs_from_paths([str(inside)], ["one text"])
    assert {inference_input.text for inference_input in inputs} == {"one text"}


def test_only_regular_files_of_some_size_are_opened(tmp_path):
    makers.write_images(tmp_path, ["a.jpg"])
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "large.jpg").touch()
    os.truncate(tmp_path / "large.jpg", MAX_FILE_BYTES + 1)
    names = ["a.jpg", "fifo.jpg", "large.jpg", "absent.jpg", "nul\0.jpg"]
    errors = read_errors(inputs_from_paths([f"{tmp_path}/{n}" for n in names], []))
    assert list(errors.values()) == [
        None,
        "not a regular file",
        "file too large",
        "No such file or directory",
        "embedded null byte",
    ]


def test_texts_belong_to_images_or_are_inputs():
    def pairs(images, texts):
        return names_and_texts(inputs_from_paths(images, texts))

    assert pairs(["a", "b"], ["x", "y"]) == [("a", "x"), ("b", "y")]
    assert pairs(["a", "b"], ["x"]) == [("a", "x"), ("b", "x")]
    assert pairs(["a", "b"], []) == [("a", ""), ("b", "")]
    assert pairs([], ["x", "y"]) == [(None, "x"), (None, "y")]
    assert read_errors(inputs_from_paths([], ["x"])) == {None: "missing file name"}


def names_and_texts(inputs):
    return [(i.name, i.text) for i in inputs]


def from_table(path, report=None, **settings):
    config = DataConfig(dataset="table", source=str(path), **settings)
    return inputs_from_table(config, report or ReadReport())


def test_images_of_a_table_are_inside_the_image_folder(tmp_path):
    makers.write_images(tmp_path, ["secret.jpg"])
    makers.write_images(tmp_path / "images", ["a.jpg"])
    (tmp_path / "images" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    rows = [
        "image,title",
        "a.jpg,one",
        "../secret.jpg,two",
        f"{tmp_path}/secret.jpg,three",
        "link.jpg,four",
        "b.jpg,  five\t ",
        ",six",
        "a.jpg",
    ]
    table, report = makers.table(tmp_path, rows), ReadReport()
    settings = {"image_root": str(tmp_path / "images")}
    assert read_errors(from_table(table, report, **settings)) == {
        "a.jpg": None,
        "../secret.jpg": "outside the image folder",
        f"{tmp_path}/secret.jpg": "absolute path",
        "link.jpg": "outside the image folder",
        "b.jpg": "missing file",
        None: "missing file name",
    }
    texts = [text for _, text in names_and_texts(from_table(table, **settings))]
    assert texts == ["one", "two", "three", "four", "five", "six"]
    assert report.skipped == {"malformed row": 1}


def test_several_images_of_a_row(tmp_path):
    rows = ["image,title", "a.jpg;b.jpg,one", "c.jpg,two"]
    table = makers.table(tmp_path, rows)
    names = ["a.jpg", "b.jpg", "c.jpg"]
    assert [item.name for item in from_table(table)] == names
    config = DataConfig(dataset="table", source=str(table))
    joined = list(inputs_from_table(config, ReadReport(), join_images=True))
    assert names_and_texts(joined) == [("a.jpg;b.jpg", "one"), ("c.jpg", "two")]
    assert [item.path for item in joined[0].others] == ["b.jpg"]
    assert joined[0].path == "a.jpg" and not joined[1].others


def test_a_table_needs_images_or_texts(tmp_path):
    pandas.DataFrame({"text": ["x", None]}).to_parquet(tmp_path / "t.parquet")
    inputs = from_table(tmp_path / "t.parquet")
    assert names_and_texts(inputs) == [(None, "x"), (None, "")]
    table = makers.table(tmp_path, ['{"bild": "a.jpg"}', "{}"], "t.jsonl")
    inputs = from_table(table, image_column="bild")
    assert names_and_texts(inputs) == [("a.jpg", ""), (None, "")]
    with pytest.raises(UserError, match="'bild'.*--image-column"):
        list(from_table(table))


def test_the_fingerprint_depends_on_names_texts_and_order():
    inputs = list(inputs_from_paths(["a", "b"], ["x", "y"]))
    assert inputs_fingerprint(inputs) == inputs_fingerprint(
        inputs_from_paths(["a", "b"], ["x", "y"])
    )
    digests = {
        inputs_fingerprint(inputs),
        inputs_fingerprint(inputs[::-1]),
        inputs_fingerprint(inputs[:1]),
        inputs_fingerprint(inputs_from_paths(["a", "b"], ["x", "z"])),
        inputs_fingerprint(inputs_from_paths(["a", "\udcff"], ["x", "y"])),
    }
    assert len(digests) == 5


def test_parquet_with_images(tmp_path):
    images = [format_makers.image(0), None]
    path = format_makers.embedded(tmp_path / "t.parquet", images, text=["a", None])
    config = DataConfig(dataset="table", source=str(path))
    first, second = inputs_from_table(config, ReadReport())
    assert (first.name, first.text, first.read()) == ("t/0", "a", images[0])
    assert (second.name, second.text) == ("t/1", "")
    with pytest.raises(BadImage, match="missing image"):
        second.read()
    with pytest.raises(UserError, match="t/0 is in a Parquet file"):
        _ = first.file


def test_parquet_with_several_images_in_a_row(tmp_path):
    images = [format_makers.image(seed) for seed in range(3)]
    lists = [images[:2], images[2:]]
    path = format_makers.embedded(tmp_path / "t.parquet", lists, text=["a", "b"])
    config = DataConfig(dataset="table", source=str(path))
    names = [item.name for item in inputs_from_table(config, ReadReport())]
    assert names == ["t/0/0", "t/0/1", "t/1"]
    first, second = inputs_from_table(config, ReadReport(), join_images=True)
    assert (first.name, first.text) == ("t/0/0;t/0/1", "a")
    assert [item.read() for item in (first, *first.others)] == images[:2]
    assert (second.name, second.read(), second.others) == ("t/1", images[2], ())
