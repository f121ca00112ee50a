"""Labels of COYO's pairs."""

import csv

import pyarrow.parquet
import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data.dataset_spec import DatasetSpec
from kerasgan.errors import UserError
from tests.data import coyo_makers, makers
from tests.data.coyo_makers import KINDS, ids, labels_by_id, read


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_id_labels_are_joined_by_url(tmp_path, kind, pairs):
    source = coyo_makers.download(tmp_path / "in", kind, pairs, columns=())
    labels = coyo_makers.write_labels(tmp_path / "labels.parquet", pairs[:6])
    annotations = read(source, labels=str(labels))
    assert labels_by_id(annotations) == {
        f"00000/{number}": pairs[number]["class"] for number in range(6)
    }
    assert annotations.report.skipped == {"missing label": 4}
    assert annotations.report.bad_rows == 0
    assert annotations.images["00000/0"].group == pairs[0]["image_phash"]
    assert any("no id of COYO" in note for note in annotations.report.notes)


def test_labels_are_joined_by_id_before_url(tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    moved = [row | {"url": pairs[9 - n]["url"]} for n, row in enumerate(pairs)]
    labels = coyo_makers.write_labels(tmp_path / "labels.parquet", moved)
    annotations = read(source, labels=str(labels))
    assert labels_by_id(annotations) == {str(r["id"]): r["class"] for r in pairs}


def test_the_most_probable_class_is_used_above_the_threshold(tmp_path, pairs):
    for row, probability in zip(pairs, (0.4, 0.59, 0.61, 0.9), strict=False):
        row["probability"] = probability
    source = coyo_makers.download(tmp_path / "in", "parquet", pairs[:4])
    labels = coyo_makers.write_labels(tmp_path / "labels.parquet", pairs)
    annotations = read(source, labels=str(labels), label_threshold=0.6)
    assert set(annotations.images) == set(ids(pairs[2:4]))
    assert annotations.report.skipped == {"label probability below 0.6": 2}
    assert len(read(source, labels=str(labels), label_threshold=0.0).images) == 4


def test_only_the_most_frequent_classes_are_kept(tmp_path, pairs):
    for row, name in zip(pairs, "5554443321", strict=True):
        row["class"] = name
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    labels = coyo_makers.write_labels(tmp_path / "labels.parquet", pairs)
    annotations = read(source, labels=str(labels), label_groups=3)
    assert annotations.label_names == ["3", "4", "5"]
    assert annotations.report.skipped == {"label not among the most frequent": 2}
    assert annotations.report.bad_rows == 0


@pytest.mark.parametrize("column", ["id", "url", "key"])
def test_labels_can_come_from_any_table(tmp_path, column, pairs):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    names = ["dog", "cat, big"]
    with open(tmp_path / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column, "Class"])
        for number, row in enumerate(pairs[:8]):
            value = f"{number:09d}" if column == "key" else row[column]
            writer.writerow([value, names[number % 2]])
    annotations = read(source, labels=str(tmp_path / "labels.csv"))
    assert annotations.label_names == ["cat, big", "dog"]
    assert labels_by_id(annotations) == {
        str(row["id"]): names[number % 2] for number, row in enumerate(pairs[:8])
    }


def test_labels_saved_with_the_images_need_no_table(tmp_path, pairs):
    for row in pairs:
        row |= {"labels": [int(row["class"]), 3], "label_probs": [0.75, 0.1]}
    for kind in KINDS:
        source = coyo_makers.download(
            tmp_path / kind, kind, pairs, columns=("id", "labels", "label_probs")
        )
        wanted = {str(row["id"]): row["class"] for row in pairs}
        assert labels_by_id(read(source)) == wanted
        assert read(source, label_column="").label_names is None
    source = coyo_makers.download(tmp_path / "own", "files", pairs, columns=("class",))
    assert read(source, label_column="class").label_names == ["4945", "8087"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("id,note\n1,x\n", "Received: id, note. Name the column of labels"),
        ("name,label\n1,x\n", "id or url or key"),
        (
            "id,label\n1,x\n",
            r"None of the 10 pairs .* has a label in .*10 × missing label",
        ),
    ],
)
def test_labels_without_matches_are_rejected(tmp_path, pairs, text, message):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read(source, labels=str(path))


def test_malformed_rows_of_a_table_of_labels_are_noted(tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    lines = ["id,label", *(f"{name},x" for name in ids(pairs)), "1,2,3", "only"]
    path = makers.table(tmp_path, lines, "labels.csv")
    annotations = read(source, labels=str(path))
    assert annotations.label_names == ["x"] and len(annotations.images) == 10
    note = f"{path}: skipped 2 malformed rows, as in lines [12, 13]"
    assert note in annotations.report.notes


def test_missing_and_unknown_label_files_are_named(tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    (tmp_path / "empty").mkdir()
    for name in ("nowhere", "empty", "in/00000.tar"):
        with pytest.raises(UserError, match=f"--labels {tmp_path / name}"):
            DatasetSpec.from_config(
                DataConfig(
                    dataset="coyo",
                    source=str(source),
                    data_dir=str(tmp_path),
                    labels=str(tmp_path / name),
                )
            )


def test_damaged_labels_are_named(tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", "files", pairs)
    path = coyo_makers.write_labels(tmp_path / "labels.parquet", pairs)
    table = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(table.append_column("id", table["id"]), path)
    with pytest.raises(UserError, match="several columns with the same name: 'id'"):
        read(source, labels=str(path))
    pyarrow.parquet.write_table(table, path, use_dictionary=False, compression="none")
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xff" * 200 + content[204:])
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        read(source, labels=str(path))
