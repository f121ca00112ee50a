import json

import pandas
import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data.layouts import read_annotations
from kerasgan.data.layouts.columns import Columns
from kerasgan.errors import UserError
from tests.data import makers


def read(path, **settings):
    return read_annotations(DataConfig(dataset="table", **settings), path)


def captions_of(annotations):
    return {name: p.captions for name, p in annotations.images.items()}


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
    assert annotations.ledger.notes == [
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
    assert annotations.ledger.skipped == {}
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
    assert annotations.ledger.skipped == {"malformed row": 2}
    pandas.DataFrame(records).to_parquet(tmp_path / "t.parquet")
    again = read(tmp_path / "t.parquet")
    assert captions_of(again) == captions_of(annotations)
    assert again.label_names == ["3", "12"]


def test_missing_values_of_parquet_are_no_captions_and_whole_floats_no_fractions(
    tmp_path,
):
    frame = pandas.DataFrame(
        {"image": ["a.jpg", "b.jpg"], "text": ["one", None], "label": [1.0, 2.0]}
    )
    frame.to_parquet(tmp_path / "t.parquet")
    annotations = read(tmp_path / "t.parquet")
    assert captions_of(annotations) == {"a.jpg": ["one"]}
    assert annotations.images["a.jpg"].label == "1"
    assert annotations.ledger.skipped == {"no caption": 1}


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
    ledger = annotations.ledger
    assert ledger.skipped == {
        "repeated row": 1,
        "conflicting label": 1,
        "malformed row": 2,
        "no label": 1,
        "no image named": 1,
    }
    assert (ledger.rows, ledger.bad_rows) == (7, 5)
    lines = {example["reason"]: example["line"] for example in ledger.examples}
    assert lines["conflicting label"] == 4
    assert lines["no image named"] == 8


@pytest.mark.parametrize(
    "broken",
    [
        'ok.jpg,"a 12 inch screen',  # never closed
        'ok.jpg,"a 12" screen',
        'ok.jpg,"a 12 inch screen\nc.jpg,small 12"',  # closed by another row's quote
    ],
)
def test_an_unpaired_quote_costs_its_own_line_alone(tmp_path, broken):
    rows = ["image,caption", "a.jpg,one", broken, 'b.jpg,"two, three"', "d.jpg,four"]
    annotations = read(makers.table(tmp_path, rows))
    captions = captions_of(annotations)
    assert captions.pop("c.jpg", None) == (['small 12"'] if "c.jpg" in broken else None)
    assert captions == {"a.jpg": ["one"], "b.jpg": ["two, three"], "d.jpg": ["four"]}
    ledger = annotations.ledger
    assert ledger.skipped == {"malformed row": 1} and ledger.bad_rows == 1
    assert ledger.examples[0]["line"] == 3 and "12" in ledger.examples[0]["value"]


def test_cells_may_span_lines_and_rows_are_named_by_their_first(tmp_path):
    rows = ["image,caption", 'a.jpg,"one\n\ntwo, three"', "b.jpg", "c.jpg,four"]
    annotations = read(makers.table(tmp_path, rows))
    assert captions_of(annotations) == {"a.jpg": ["one two, three"], "c.jpg": ["four"]}
    assert annotations.ledger.examples[0]["line"] == 5
    assert annotations.images["c.jpg"].line == 6


def choose(names, path="t.csv", **settings):
    return Columns.choose(DataConfig(dataset="table", **settings), names, path)


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
def test_obvious_columns_are_guessed(names, columns):
    chosen = choose(names)
    assert (chosen.image, chosen.captions, chosen.label) == columns


def test_named_columns_are_taken_and_empty_names_mean_none():
    names = ["image", "bild", "text", "worte", "label", "art"]
    chosen = choose(
        names,
        image_column="bild",
        caption_columns=["worte", "text"],
        label_column="art",
    )
    assert chosen == Columns("bild", ("worte", "text"), "art")
    chosen = choose(names, caption_columns=[""], label_column="")
    assert chosen == Columns("image", (), None)


def test_what_cannot_be_guessed_lists_the_columns():
    with pytest.raises(UserError, match="'bild', 'text'.*--image-column"):
        choose(["bild", "text"])
    with pytest.raises(UserError, match="'image', 'worte'.*--caption-column"):
        choose(["image", "worte"])
    with pytest.raises(UserError, match="no column 'art', only 'image', 'text'"):
        choose(["image", "text"], label_column="art")


def test_images_without_captions_if_so_wished(tmp_path):
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
        ("t.csv", b"image,text,text\na.jpg,one,two\n", "of one name: 'text'"),
        ("t.xlsx", b"PK", r"\.csv, \.tsv, \.jsonl, \.parquet"),
        ("t.parquet", b"PAR1 is not enough", "cannot be read as Parquet"),
        ("t.jsonl", b"{}\n", "none at all"),
    ],
)
def test_hopeless_tables_are_refused_by_name(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


def test_a_folder_is_no_table_and_the_image_root_must_exist(tmp_path):
    with pytest.raises(UserError, match=r"a file ending in \.csv"):
        read(tmp_path)
    path = makers.table(tmp_path, ["image,caption", "a.jpg,one"])
    with pytest.raises(UserError, match="none is not a directory"):
        read(path, image_root=str(tmp_path / "none"))


ROWS = ["image,text,label", "a.jpg,one,x", "b.jpg,two,x", "c.jpg,three,y", "d.jpg,,x"]


def test_small_classes_are_left_out_and_are_no_bad_rows(tmp_path):
    annotations = read(makers.table(tmp_path, ROWS), label_minimum=2)
    assert list(annotations.images) == ["a.jpg", "b.jpg"]
    assert annotations.label_names == ["x"]
    assert annotations.ledger.skipped == {"no caption": 1, "uncommon class": 1}
    assert annotations.ledger.bad_rows == 1


def test_images_without_a_caption_stay_where_asked_for(tmp_path):
    annotations = read(makers.table(tmp_path, ROWS), keep_uncaptioned=True)
    assert captions_of(annotations)["d.jpg"] == []
    assert not annotations.ledger.skipped
