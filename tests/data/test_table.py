import json

import pandas
import pyarrow.parquet
import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data import load_data
from kerasgan.data.layouts import read_annotations
from kerasgan.data.layouts.columns import Columns
from kerasgan.errors import UserError
from tests.data import makers


def read(path, **settings):
    return read_annotations(DataConfig(dataset="table", **settings), path)


def captions_of(annotations):
    return {name: image.captions for name, image in annotations.images.items()}


def test_several_rows_and_columns_are_joined(tmp_path):
    path = makers.table(
        tmp_path,
        [
            " File Name ,caption_1,caption_2,Class",
            'a.jpg,"one, two",three,10',
            "b.jpg,,four,9",
            "a.jpg,five,,10",
        ],
    )
    annotations = read(path)
    assert captions_of(annotations) == {
        "a.jpg": ["one, two", "three", "five"],
        "b.jpg": ["four"],
    }
    assert annotations.label_names == ["9", "10"]
    assert annotations.image_root == tmp_path
    assert annotations.report.notes == [
        "columns: image File Name; captions caption_1, caption_2; label Class"
    ]


@pytest.mark.parametrize("separator, name", [(";", "t.csv"), ("\t", "t.tsv")])
def test_other_separators(tmp_path, separator, name):
    rows = ["image;text;label", "a.jpg;a, b;x", 'b.jpg;"c\nd";y']
    rows = [row.replace(";", separator) for row in rows]
    annotations = read(makers.table(tmp_path, rows, name))
    assert captions_of(annotations) == {"a.jpg": ["a, b"], "b.jpg": ["c d"]}


def test_blank_lines_are_neither_header_nor_rows(tmp_path):
    rows = ["", "  ", "image,caption", "", "a.jpg,one", "", "b.jpg,two"]
    annotations = read(makers.table(tmp_path, rows))
    assert captions_of(annotations) == {"a.jpg": ["one"], "b.jpg": ["two"]}
    assert annotations.report.skipped == {}
    assert annotations.images["b.jpg"].line == 7


def test_json_lines_and_parquet_with_lists(tmp_path):
    records = [
        {"path": "a.jpg", "captions": ["one", "two"], "label": 3},
        {"path": "b.jpg", "captions": ["three"], "label": 12},
    ]
    lines = [json.dumps(record) for record in records]
    path = makers.table(tmp_path, [*lines, "not json", "[1]"], "t.jsonl")
    annotations = read(path)
    assert captions_of(annotations) == {"a.jpg": ["one", "two"], "b.jpg": ["three"]}
    assert annotations.label_names == ["3", "12"]
    assert annotations.report.skipped == {"malformed row": 2}
    pandas.DataFrame(records).to_parquet(tmp_path / "t.parquet")
    again = read(tmp_path / "t.parquet")
    assert captions_of(again) == captions_of(annotations)
    assert again.label_names == ["3", "12"]


def test_parquet_with_missing_captions_and_integral_floats(
    tmp_path,
):
    frame = pandas.DataFrame(
        {"image": ["a.jpg", "b.jpg"], "text": ["one", None], "label": [1.0, 2.0]}
    )
    frame.to_parquet(tmp_path / "t.parquet")
    annotations = read(tmp_path / "t.parquet")
    assert captions_of(annotations) == {"a.jpg": ["one"]}
    assert annotations.images["a.jpg"].label == "1"
    assert annotations.report.skipped == {"missing caption": 1}


def test_a_json_list_in_a_cell_is_a_list_and_other_brackets_are_text(tmp_path):
    rows = [
        "image,caption",
        'a.jpg,"[""one"", ""two""]"',
        "b.jpg,[sic] three",
        "c.jpg,[1]",
    ]
    assert captions_of(read(makers.table(tmp_path, rows))) == {
        "a.jpg": ["one", "two"],
        "b.jpg": ["[sic] three"],
        "c.jpg": ["[1]"],
    }


def test_bad_rows_are_counted_with_their_lines(tmp_path):
    rows = [
        "image,caption,label",
        "a.jpg,one,x",
        "a.jpg,one,x",
        "a.jpg,two,y",
        "b.jpg,three",
        "c.jpg,four,x,?",
        "d.jpg,five,",
        ",six,x",
    ]
    annotations = read(makers.table(tmp_path, rows))
    assert captions_of(annotations) == {"a.jpg": ["one", "two"]}
    report = annotations.report
    assert report.skipped == {
        "duplicate row": 1,
        "conflicting label": 1,
        "malformed row": 2,
        "missing label": 1,
        "missing file name": 1,
    }
    assert (report.rows, report.bad_rows) == (7, 5)
    lines = {example["reason"]: example["line"] for example in report.examples}
    assert lines["conflicting label"] == 4
    assert lines["missing file name"] == 8


@pytest.mark.parametrize(
    "broken",
    [
        'ok.jpg,"a 12 inch screen',  # not closed
        'ok.jpg,"a 12" screen',
        'ok.jpg,"a 12 inch screen\nc.jpg,small 12"',  # closed by another row's quote
    ],
)
def test_an_unpaired_quote_costs_one_row_only(tmp_path, broken):
    rows = ["image,caption", "a.jpg,one", broken, 'b.jpg,"two, three"', "d.jpg,four"]
    annotations = read(makers.table(tmp_path, rows))
    captions = captions_of(annotations)
    assert captions.pop("c.jpg", None) == (['small 12"'] if "c.jpg" in broken else None)
    assert captions == {"a.jpg": ["one"], "b.jpg": ["two, three"], "d.jpg": ["four"]}
    report = annotations.report
    assert report.skipped == {"malformed row": 1} and report.bad_rows == 1
    assert report.examples[0]["line"] == 3 and "12" in report.examples[0]["value"]


def test_cells_may_span_lines_and_rows_are_numbered_by_their_first(tmp_path):
    rows = ["image,caption", 'a.jpg,"one\n\ntwo, three"', "b.jpg", "c.jpg,four"]
    annotations = read(makers.table(tmp_path, rows))
    assert captions_of(annotations) == {"a.jpg": ["one two, three"], "c.jpg": ["four"]}
    assert annotations.report.examples[0]["line"] == 5
    assert annotations.images["c.jpg"].line == 6


def resolve(names, path="t.csv", **settings):
    return Columns.resolve(DataConfig(dataset="table", **settings), names, path)


@pytest.mark.parametrize(
    "names, columns",
    [
        (["label", "image", "caption", "text"], ("image", ("caption",), "label")),
        (["Image Path", "Title"], ("Image Path", ("Title",), None)),
        (
            ["filename", "Description-1", "description 2"],
            ("filename", ("Description-1", "description 2"), None),
        ),
        (
            ["path", "image", "sentence", "category", "class"],
            ("image", ("sentence",), "class"),
        ),
    ],
)
def test_known_column_names_are_inferred(names, columns):
    chosen = resolve(names)
    assert (chosen.image, chosen.captions, chosen.label) == columns


def test_columns_can_be_named_and_empty_names_disable_them():
    names = ["image", "bild", "text", "worte", "label", "art"]
    chosen = resolve(
        names,
        image_column="bild",
        caption_columns=["worte", "text"],
        label_column="art",
    )
    columns = (chosen.image, chosen.captions, chosen.label)
    assert columns == ("bild", ("worte", "text"), "art")
    chosen = resolve(names, caption_columns=[""], label_column="")
    assert (chosen.image, chosen.captions, chosen.label) == ("image", (), None)


def test_columns_that_cannot_be_inferred_raise():
    with pytest.raises(UserError, match="'bild', 'text'.*--image-column"):
        resolve(["bild", "text"])
    with pytest.raises(UserError, match="'image', 'worte'.*--caption-column"):
        resolve(["image", "worte"])
    with pytest.raises(UserError, match="no column 'art'. Available: 'image', 'text'"):
        resolve(["image", "text"], label_column="art")


def test_images_without_captions_if_the_column_is_disabled(tmp_path):
    path = makers.table(tmp_path, ["image,class", "a.jpg,x", "b.jpg,y"])
    annotations = read(path, caption_columns=[""])
    assert captions_of(annotations) == {"a.jpg": [], "b.jpg": []}
    assert annotations.label_names == ["x", "y"]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"image,caption\n", "no rows"),
        ("t.csv", b"image,caption\nonly\n", "1 of 1 rows are bad"),
        ("t.csv", b"image,text,text\na.jpg,one,two\n", "with the same name: 'text'"),
        ("t.xlsx", b"PK", r"\.csv, \.tsv, \.jsonl, \.parquet"),
        ("t.parquet", b"PAR1 is not enough", "cannot be read as Parquet"),
        ("t.jsonl", b"{}\n", "no columns"),
    ],
)
def test_unusable_tables_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


def test_a_folder_is_not_a_table_and_the_image_root_must_exist(tmp_path):
    with pytest.raises(UserError, match=r"expected a file ending in \.csv"):
        read(tmp_path)
    path = makers.table(tmp_path, ["image,caption", "a.jpg,one"])
    with pytest.raises(UserError, match="none is not a directory"):
        read(path, image_root=str(tmp_path / "none"))


ROWS = ["image,text,label", "a.jpg,one,x", "b.jpg,two,x", "c.jpg,three,y", "d.jpg,,x"]


def test_rare_labels_are_dropped_and_are_not_bad_rows(tmp_path):
    annotations = read(makers.table(tmp_path, ROWS), label_minimum=2)
    assert list(annotations.images) == ["a.jpg", "b.jpg"]
    assert annotations.label_names == ["x"]
    assert annotations.report.skipped == {"missing caption": 1, "rare label": 1}
    assert annotations.report.bad_rows == 1


@pytest.mark.parametrize("word", DataConfig().missing_values)
def test_words_for_missing_values_are_no_labels(tmp_path, word):
    table = makers.table(tmp_path, [*ROWS, f"e.jpg,five,{word}", f"f.jpg,{word},x"])
    annotations = read(table)
    assert annotations.label_names == ["x", "y"]
    assert annotations.report.skipped == {"missing caption": 2, "missing label": 1}
    assert any(f"{word} (2)" in note for note in annotations.report.notes)
    annotations = read(table, missing_values=[])
    assert annotations.label_names == sorted(["x", "y", word])
    assert annotations.report.skipped == {"missing caption": 1}


def test_keep_uncaptioned_keeps_images_without_a_caption(tmp_path):
    annotations = read(makers.table(tmp_path, ROWS), keep_uncaptioned=True)
    assert captions_of(annotations)["d.jpg"] == []
    assert not annotations.report.skipped


def test_a_caption_of_brackets_is_a_caption(tmp_path):
    table = makers.table(tmp_path, ["image,text", "a.jpg," + "[" * 9000])
    assert captions_of(read(table))["a.jpg"] == ["[" * 9000]


def test_a_column_whose_name_is_no_text_is_an_error(tmp_path):
    path = tmp_path / "table.parquet"
    table = pyarrow.table({"image": ["a.jpg"], "caption": ["a dog"]})
    pyarrow.parquet.write_table(table, path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"image", b"ima\xffe"))
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        read(path)


def test_rows_with_several_images(tmp_path):
    rows = [
        "image,title,image_2,image_10",
        "a.jpg;b.PNG ;,one,,c.webp",
        "a;d.jpg,two,,",
        '"[""e.jpg"", ""f; g""]",three,e.jpg,',
        ",four,,",
    ]
    annotations = read(makers.table(tmp_path, rows))
    records = {name: image.record for name, image in annotations.images.items()}
    assert records == {
        **dict.fromkeys(["a.jpg", "b.PNG", "c.webp"], "2"),
        "a;d.jpg": None,  # a single name, because `a` has no suffix of an image
        **dict.fromkeys(["e.jpg", "f; g"], "4"),
    }
    assert captions_of(annotations)["c.webp"] == ["one"]
    assert annotations.report.skipped == {"missing file name": 1}
    assert "columns: image image, image_2, image_10;" in annotations.report.notes[0]
    rows = ["front,back,text", "a.jpg,b.jpg,one"]
    source = makers.table(tmp_path, rows)
    assert list(read(source, image_column="back;front").images) == ["b.jpg", "a.jpg"]
    with pytest.raises(UserError, match="has no column 'side'"):
        read(source, image_column="front;side")


def test_images_of_a_row_are_in_the_same_split(tmp_path):
    makers.write_images(tmp_path, makers.names(24))
    pairs = zip(makers.names(24)[::2], makers.names(24)[1::2], strict=True)
    rows = ["image,text", *(f"{one};{two},text of {one}" for one, two in pairs)]
    config = DataConfig(
        dataset="table",
        source=str(makers.table(tmp_path, rows)),
        data_dir=str(tmp_path / "prepared"),
        split=0.5,
    )
    found = load_data(config, progress=False)
    assert found.info["train"] == found.info["test"] == 12
    assert found.info["duplicates"] == 0  # other images of a row are not the same
    records = found.info["records"]
    sides = [
        {records[name] for name in split.ids} for split in (found.train, found.test)
    ]
    assert len(records) == 24 and not sides[0] & sides[1]
