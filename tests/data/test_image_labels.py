"""Several labels of one image."""

import json
from pathlib import Path

import numpy as np
import pyarrow
import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data import load_data
from kerasgan.data.annotations import AnnotatedImage
from kerasgan.data.image_labels import sorted_label_names
from kerasgan.data.layouts import read_annotations
from kerasgan.errors import UserError
from tests.data import coyo_makers, makers
from tests.data import format_makers as make

ROWS = ["image,text,label", "a.jpg,one,red;round", "b.jpg,two,blue", "c.jpg,three,red"]


def read(path, **settings):
    return read_annotations(DataConfig(dataset="table", **settings), path)


def labels_of(annotations):
    return {name: image.labels for name, image in annotations.images.items()}


def test_labels_are_put_in_order_as_numbers_or_words():
    def images(*labels):
        return {"a": AnnotatedImage("a", Path("a"), 1, labels=[*labels])}

    assert sorted_label_names(images("10", "9", "1")) == ["1", "9", "10"]
    assert sorted_label_names(images("shoe", "bag", "2")) == ["2", "bag", "shoe"]
    assert sorted_label_names(images("1" * 9000, "2")) == ["2", "1" * 9000]


def test_the_first_of_several_labels_is_kept_and_the_others_are_counted(tmp_path):
    annotations = read(makers.table(tmp_path, ROWS))
    assert labels_of(annotations) == {"a.jpg": ["red"], "b.jpg": ["blue"]} | {
        "c.jpg": ["red"]
    }
    report = annotations.report
    assert (report.skipped, report.bad_rows) == ({"several labels": 1}, 0)
    assert report.examples[0]["value"] == "a.jpg: red, round; the first is kept"
    assert "1 rows have several labels" in report.notes[-1]
    assert "--multi-label" in report.notes[-1]


def test_several_labels_can_be_refused(tmp_path):
    path = makers.table(tmp_path, ROWS)
    with pytest.raises(UserError, match=r"table.csv:2 has several labels: red, round"):
        read(path, several_labels="refuse")
    annotations = read(path, several_labels="refuse", label_separators="")
    assert annotations.label_names == ["blue", "red", "red;round"]


def test_all_labels_of_all_rows_can_be_kept(tmp_path):
    path = makers.table(tmp_path, [*ROWS, "b.jpg,more,round|blue"])
    annotations = read(path, several_labels="all")
    assert annotations.label_names == ["blue", "red", "round"]
    assert labels_of(annotations)["b.jpg"] == ["blue", "round"]
    assert annotations.report.skipped == {}
    rare = read(path, several_labels="all", label_minimum=2)
    assert labels_of(rare) == {"a.jpg": ["red", "round"], "c.jpg": ["red"]} | {
        "b.jpg": ["round"]
    }
    assert rare.report.skipped == {"rare further label": 1}


def test_lists_in_json_lines(tmp_path):
    records = [
        {"image": "a.jpg", "text": "one", "label": ["red", "a;b"]},
        {"image": "b.jpg", "text": "two", "label": []},
    ]
    path = makers.table(tmp_path, map(json.dumps, records), "t.jsonl")
    annotations = read(path, several_labels="all")
    assert labels_of(annotations) == {"a.jpg": ["red", "a;b"]}
    assert annotations.report.skipped == {"missing label": 1}


def test_lists_of_numbered_classes_of_hugging_face(tmp_path):
    feature = {"feature": {"names": ["cat", "dog"]}, "_type": "Sequence"}
    path = make.embedded(
        tmp_path / "t.parquet",
        [make.image(n) for n in range(3)],
        {"info": {"features": {"label": feature}}},
        label=pyarrow.array([[0, 1], [-1], [1]]),
    )
    annotations = make.read("table", path, several_labels="all")
    assert labels_of(annotations) == {"t/0": ["cat", "dog"], "t/2": ["dog"]}


@pytest.mark.parametrize(
    ("threshold", "expected"), [(0.5, ["4"]), (0.08, ["4", "11"]), (0.8, None)]
)
def test_every_probable_class_of_coyo(tmp_path, pairs, threshold, expected):
    for row in pairs:
        row["class"] = "4"
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    path = coyo_makers.write_labels(tmp_path / "labels.parquet", pairs)
    settings = {"labels": str(path), "label_threshold": threshold}
    if expected is None:
        with pytest.raises(UserError, match="label probability below 0.8"):
            coyo_makers.read(source, several_labels="all", **settings)
        return
    annotations = coyo_makers.read(source, several_labels="all", **settings)
    assert all(image.labels == expected for image in annotations.images.values())
    single = coyo_makers.read(source, **settings)
    assert all(image.labels == ["4"] for image in single.images.values())
    assert single.report.skipped == {}


def test_prepared_records_hold_all_labels(tmp_path):
    names = [f"{number}.jpg" for number in range(8)]
    makers.write_images(tmp_path, names)
    labels = ["red", "red;blue", "blue", "round;red"]
    rows = [f"{name},text {name},{labels[n % 4]}" for n, name in enumerate(names)]
    path = makers.table(tmp_path, ["image,text,label", *rows])
    config = DataConfig(
        dataset="table",
        source=str(path),
        image_size=16,
        data_dir=str(tmp_path / "out"),
        several_labels="all",
    )
    pairs = load_data(config, progress=False)
    assert pairs.label_names == ["blue", "red", "round"]
    train = pairs.train
    for name, found in zip(train.ids, train.label_lists, strict=True):
        expected = labels[names.index(name) % 4].split(";")
        assert [pairs.label_names[number] for number in found] == expected
    assert train.labels is None
    records = train.as_dataset().as_numpy_iterator()
    for record, found in zip(records, train.label_lists, strict=True):
        np.testing.assert_array_equal(record["labels"], found)
    single = load_data(config.model_copy(update={"several_labels": "first"}), False)
    assert single.train.label_lists is None
    assert single.info["skipped"] == {"several labels": 4}
