import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasgan.config.settings import DataConfig
from kerasgan.data.layouts import read_annotations
from kerasgan.data.layouts.flickr import (
    read_comma_separated,
    read_pipe_separated,
    read_token_file,
)
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from tests.data import makers

FLICKR30K = DataConfig(dataset="flickr30k")
FLICKR8K = DataConfig(dataset="flickr8k")


def read(config, source):
    return read_annotations(config, source)


@pytest.mark.parametrize(
    "make, layout",
    [
        (makers.kaggle_30k, "Kaggle results.csv"),
        (makers.token_30k, "original .token"),
        (makers.karpathy_30k, "Karpathy JSON"),
        (makers.hugging_face_30k, "Hugging Face CSV"),
        (makers.kaggle_8k, "Kaggle captions.txt"),
    ],
)
def test_all_layouts_of_flickr30k_give_the_same_annotations(tmp_path, make, layout):
    annotations = read(FLICKR30K, make(tmp_path))
    assert annotations.layout == layout
    assert list(annotations.images) == makers.names(10)
    for name, image in annotations.images.items():
        assert image.captions == makers.captions(name)
    assert (annotations.image_root / "1000.jpg").is_file()
    assert annotations.report.skipped == {}


def test_marks_of_entities_are_removed(tmp_path):
    annotations = read(FLICKR30K, makers.entities_30k(tmp_path))
    assert annotations.layout == "Entities sentences"
    assert (
        annotations.images["1003.jpg"].captions[2] == "A big dog on a day , number 2 ."
    )
    assert len(annotations.files) == 13


@pytest.mark.parametrize(
    "make", [makers.karpathy_30k, makers.hugging_face_30k, makers.entities_30k]
)
def test_published_splits_are_read(tmp_path, make):
    annotations = read(FLICKR30K, make(tmp_path))
    splits = [image.split for image in annotations.images.values()]
    assert splits == makers.SPLITS


def test_the_row_without_a_delimiter_is_repaired(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(
        "image_name| comment_number| comment\n"
        '2199200615.jpg| 3| A "dog" , it runs .\n'
        "2199200615.jpg| 4   A dog runs across the grass .\n"
    )
    report = ReadReport()
    rows = list(read_pipe_separated(path, report))
    assert [(r.name, r.key, r.captions) for r in rows] == [
        ("2199200615.jpg", "3", (' A "dog" , it runs .',)),
        ("2199200615.jpg", "4", ("A dog runs across the grass .",)),
    ]
    assert report.repaired == 1
    assert report.examples == [
        {
            "reason": "repaired: missing delimiter",
            "file": str(path),
            "line": 3,
            "value": "2199200615.jpg| 4   A dog runs across the grass .",
        }
    ]


def test_malformed_rows_are_counted(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("image_name|comment_number|comment\nnothing\na.jpg|x|y\na.jpg|7\n")
    report = ReadReport()
    assert list(read_pipe_separated(path, report)) == []
    assert (report.skipped, report.rows) == ({"malformed row": 3}, 3)
    token = tmp_path / "a.token"
    token.write_text("a.jpg#0 no tab\n#0\tno name\na.jpg\tno number\na.jpg#0\tgood\n")
    assert [row.captions for row in read_token_file(token, report)] == [("good",)]
    assert report.skipped == {"malformed row": 6}


def test_an_unpaired_quote_costs_no_other_row(tmp_path):
    path = tmp_path / "captions.txt"
    path.write_text('image,caption\na.jpg,"a dog, alone\nb.jpg,"a ""big"" one, too"\n')
    rows = list(read_comma_separated(path, ReadReport()))
    assert [row.captions for row in rows] == [
        ('"a dog, alone',),
        ('a "big" one, too',),
    ]


def test_an_unpaired_quote_in_hugging_faces_table_costs_one_row(tmp_path):
    path = makers.hugging_face_30k(tmp_path) / "flickr_annotations_30k.csv"
    lines = path.read_text().split("\n")
    lines[3] = lines[3].replace(']"', "]", 1)
    path.write_text("\n".join(lines))
    annotations = read(FLICKR30K, tmp_path)
    assert len(annotations.images) == 9
    assert annotations.report.skipped == {"malformed row": 1}


line_text = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]))


@given(st.lists(line_text, max_size=5))
def test_any_text_is_a_caption_or_a_counted_row(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("layouts")
    for name, header, start, reader in [
        (
            "results.csv",
            "image_name|comment_number|comment",
            "a.jpg|{}|",
            read_pipe_separated,
        ),
        ("a.token", "z.jpg#0\tz", "a.jpg#{}\t", read_token_file),
    ]:
        lines = [start.format(number) + text for number, text in enumerate(texts)]
        (folder / name).write_bytes("\n".join([header, *lines]).encode())
        report = ReadReport()
        rows = [row for row in reader(folder / name, report) if row.name == "a.jpg"]
        assert [row.captions for row in rows] == [(text,) for text in texts]
        assert report.skipped == {}
        (folder / name).write_bytes("\n".join([header, *texts]).encode())
        count = len(list(reader(folder / name, report)))
        blank = sum(not text.strip() for text in texts)
        assert count + report.rows + blank == len(texts) + (name == "a.token")


def test_a_wrong_header_is_quoted(tmp_path):
    (tmp_path / "results.csv").write_text("image,text\na.jpg,b\n")
    with pytest.raises(UserError) as error:
        read(FLICKR30K, tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/results.csv:1: expected the header "
        "'image_name|comment_number|comment'. Received: 'image,text'"
    )


def test_a_copy_of_the_annotations_among_the_images_is_ignored(tmp_path):
    makers.kaggle_30k(tmp_path)
    outer = tmp_path / "flickr30k_images"
    shutil.copy(outer / "results.csv", outer / "flickr30k_images" / "results.csv")
    annotations = read(FLICKR30K, tmp_path)
    assert annotations.files == [outer / "results.csv"]
    inner = read(FLICKR30K, outer / "flickr30k_images")
    assert list(inner.images) == list(annotations.images)


def test_the_annotation_file_itself_can_be_named(tmp_path):
    makers.kaggle_30k(tmp_path)
    annotations = read(FLICKR30K, tmp_path / "flickr30k_images" / "results.csv")
    assert len(annotations.images) == 10


def test_without_annotations_the_folder_and_the_layouts_are_named(tmp_path):
    with pytest.raises(UserError) as error:
        read(FLICKR30K, tmp_path)
    assert str(tmp_path) in str(error.value)
    assert "dataset_flickr30k.json (Karpathy)" in str(error.value)
    with pytest.raises(UserError, match="Flickr8k.token.txt"):
        read(FLICKR8K, tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        read(FLICKR8K, tmp_path / "none")


def test_missing_images_are_named(tmp_path):
    makers.hugging_face_30k(tmp_path)
    shutil.rmtree(tmp_path / "flickr30k-images")
    with pytest.raises(UserError, match="--image-root"):
        read(FLICKR30K, tmp_path)
    (tmp_path / "flickr30k-images.zip").write_bytes(b"PK")
    with pytest.raises(UserError, match="flickr30k-images.zip .* unpack it first"):
        read(FLICKR30K, tmp_path)


def test_flickr8k_with_its_lists_and_unlisted_rows(tmp_path):
    annotations = read(FLICKR8K, makers.original_8k(tmp_path))
    assert len(annotations.images) == 11
    assert "2258277193_586949ec62.jpg.1" in annotations.images
    splits = [image.split for image in annotations.images.values()]
    assert splits == ["train"] * 5 + [None] + ["val"] * 2 + ["test"] * 2 + [None]
    assert len(annotations.files) == 4


def test_broken_json_is_named(tmp_path):
    (tmp_path / "dataset_flickr30k.json").write_text('{"images": [')
    with pytest.raises(UserError, match="dataset_flickr30k.json: expected a JSON"):
        read(FLICKR30K, tmp_path)


def test_a_header_without_rows(tmp_path):
    (tmp_path / "results.csv").write_text("image_name|comment_number|comment\n")
    with pytest.raises(UserError, match="no rows"):
        read(FLICKR30K, tmp_path)
