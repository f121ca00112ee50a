import pandas
import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data.images import BadImage
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.inference.inputs import (
    inputs_fingerprint,
    inputs_from_paths,
    inputs_from_table,
)
from tests.data import makers


def reasons(asked):
    """Each name with the reason why it cannot be read, or None."""
    found = {}
    for one in asked:
        try:
            one.read()
            found[one.name] = None
        except BadImage as reason:
            found[one.name] = str(reason)
    return found


def test_folders_are_searched_in_order_and_never_left(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    makers.write_images(inside / "b", ["2.JPG", "10.png"])
    makers.write_images(inside, ["c.webp", "notes.txt"])
    makers.write_images(outside, ["secret.jpg"])
    (inside / "a.jpg").symlink_to(outside / "secret.jpg")
    (inside / "d.jpg").symlink_to("b/2.JPG")
    (inside / "e").symlink_to(outside)
    (inside / "f").symlink_to("b")
    (inside / "g.jpg").symlink_to("nowhere")
    alone = outside / "secret.jpg"
    found = reasons(inputs_from_paths([str(inside), str(alone)], ["one text"]))
    assert list(found.items()) == list(
        {
            f"{inside}/a.jpg": "outside the folder",
            f"{inside}/b/10.png": None,
            f"{inside}/b/2.JPG": None,
            f"{inside}/c.webp": None,
            f"{inside}/d.jpg": None,
            f"{inside}/e": "outside the folder",
            f"{inside}/g.jpg": "missing",
            str(alone): None,
        }.items()
    )
    assert {one.text for one in inputs_from_paths([str(inside)], ["one text"])} == {
        "one text"
    }


def test_texts_belong_to_images_or_stand_alone():
    def pairs(images, texts):
        return [(one.name, one.text) for one in inputs_from_paths(images, texts)]

    assert pairs(["a", "b"], ["x", "y"]) == [("a", "x"), ("b", "y")]
    assert pairs(["a", "b"], ["x"]) == [("a", "x"), ("b", "x")]
    assert pairs(["a", "b"], []) == [("a", ""), ("b", "")]
    assert pairs([], ["x", "y"]) == [(None, "x"), (None, "y")]
    assert reasons(inputs_from_paths([], ["x"])) == {None: "no image named"}


def listed(path, ledger=None, **settings):
    config = DataConfig(dataset="table", source=str(path), **settings)
    return inputs_from_table(config, ledger or ReadReport())


def test_rows_of_a_table_stay_below_the_folder_of_images(tmp_path):
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
    table, ledger = makers.table(tmp_path, rows), ReadReport()
    settings = {"image_root": str(tmp_path / "images")}
    assert reasons(listed(table, ledger, **settings)) == {
        "a.jpg": None,
        "../secret.jpg": "outside the folder",
        f"{tmp_path}/secret.jpg": "absolute name",
        "link.jpg": "outside the folder",
        "b.jpg": "missing",
        None: "no image named",
    }
    texts = [one.text for one in listed(table, **settings)]
    assert texts == ["one", "two", "three", "four", "five", "six"]
    assert ledger.skipped == {"malformed row": 1}


def test_images_or_texts_are_enough_of_a_table(tmp_path):
    pandas.DataFrame({"text": ["x", None]}).to_parquet(tmp_path / "t.parquet")
    found = [(one.name, one.text) for one in listed(tmp_path / "t.parquet")]
    assert found == [(None, "x"), (None, "")]
    table = makers.table(tmp_path, ['{"bild": "a.jpg"}', "{}"], "t.jsonl")
    found = [(one.name, one.text) for one in listed(table, image_column="bild")]
    assert found == [("a.jpg", ""), (None, "")]
    with pytest.raises(UserError, match="'bild'.*--image-column"):
        list(listed(table))


def test_other_names_texts_or_orders_have_another_fingerprint():
    asked = list(inputs_from_paths(["a", "b"], ["x", "y"]))
    assert inputs_fingerprint(asked) == inputs_fingerprint(
        inputs_from_paths(["a", "b"], ["x", "y"])
    )
    digests = {
        inputs_fingerprint(asked),
        inputs_fingerprint(asked[::-1]),
        inputs_fingerprint(asked[:1]),
        inputs_fingerprint(inputs_from_paths(["a", "b"], ["x", "z"])),
        inputs_fingerprint(inputs_from_paths(["a", "\udcff"], ["x", "y"])),
    }
    assert len(digests) == 5
