"""Which data set a file or folder is."""

import pytest
from click.testing import CliRunner

from kerasgan.cli import main
from kerasgan.data.layouts.detection import detect_dataset
from kerasgan.errors import UserError
from tests.data import coyo_makers, makers
from tests.data import format_makers as make


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (makers.kaggle_30k, "flickr30k"),
        (makers.token_30k, "flickr30k"),
        (makers.karpathy_30k, "flickr30k"),
        (makers.hugging_face_30k, "flickr30k"),
        (makers.entities_30k, "flickr30k"),
        (makers.original_8k, "flickr8k"),
        (makers.kaggle_8k, "flickr8k"),
        (make.class_folders, "folder"),
        (make.texts_beside, "folder"),
        (make.hugging_face_folder, "folder"),
        (make.coco_2017, "coco"),
        (make.karpathy_coco, "coco"),
        (make.web_dataset, "webdataset"),
        (make.hugging_face_parquet, "table"),
    ],
)
def test_folders(write, name, tmp_path):
    root = write(tmp_path / "data_8k")
    assert detect_dataset(root) == (name, root)


@pytest.mark.parametrize("kind", ["webdataset", "files", "parquet"])
def test_shards_of_img2dataset(kind, tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", kind, pairs)
    assert detect_dataset(source) == ("coyo", source)


def test_the_only_table_in_a_folder(tmp_path):
    tmp_path = tmp_path / "below"
    makers.write_images(tmp_path / "images", ["a.jpg"])
    path = makers.table(tmp_path, ["image,caption", "images/a.jpg,one"])
    assert (
        detect_dataset(tmp_path) == detect_dataset(tmp_path.parent) == ("table", path)
    )
    path.write_text("name;weight\na;2\n")
    assert detect_dataset(tmp_path) == ("folder", tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "dataset"),
    [
        ("t.csv", "image,caption\na.jpg,one\n", "table"),
        ("results.csv", "image;caption\na.jpg;one\n", "table"),
        ("results.csv", "image_name| comment_number| comment\n", "flickr30k"),
        ("results_20130124.token", "a.jpg#0\tone\n", "flickr30k"),
        ("Flickr8k.token.txt", "a.jpg#0\tone\n", "flickr8k"),
        ("mine.json", "{}", "coco"),
        ("a.tar", "", "webdataset"),
        ("a.zip", "", None),
    ],
)
def test_files(name, text, dataset, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    if dataset is None:
        with pytest.raises(UserError, match="no data set that is known. Expected a"):
            detect_dataset(path)
    else:
        assert detect_dataset(path) == (dataset, path)


def test_nothing_to_detect(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        detect_dataset(tmp_path / "none")
    with pytest.raises(UserError, match="no data set that is known"):
        detect_dataset(tmp_path)


def test_load_data_says_what_it_found(tmp_path):
    root = make.class_folders(tmp_path / "in")
    arguments = [str(root), "--data-dir", str(tmp_path / "out"), "--image-size", "16"]
    result = CliRunner().invoke(main, ["load-data", *arguments])
    assert result.exit_code == 0, result.output
    assert f"{root} is read as: folder --source {root}" in result.stderr
    assert "folder (class folders)" in result.stdout
