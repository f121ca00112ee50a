"""Captions for images without text, by a run with a captioner of random weights."""

import csv

import keras
import pytest

from kerasgan.captioning.pipeline import load_captioner
from kerasgan.classification.task import load_task
from kerasgan.config.settings import ClassifierConfig, DataConfig, Settings
from kerasgan.data import load_data
from kerasgan.errors import UserError
from tests.data.makers import write_images
from tests.export.makers import make_run

TEXTS = ["a red hat", "", "a blue hat", "?!", "one hat", "its hat", "", "no hat"]


def ignore(line):
    """Prints nothing."""


@pytest.fixture(scope="module")
def captioner_run(tmp_path_factory):
    keras.utils.set_random_seed(0)
    return make_run(tmp_path_factory.mktemp("captioner") / "run", ("captions",))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    names = [f"{number}.jpg" for number in range(8)]
    write_images(folder, names)
    with open(folder / "table.csv", "w", newline="", encoding="utf-8") as file:
        rows = zip(names, TEXTS, ["good", "bad"] * 4, strict=True)
        csv.writer(file).writerows([("image", "title", "label"), *rows])
    return folder / "table.csv"


def make_settings(table, data_dir, run, **changes):
    return Settings(
        data=DataConfig(
            dataset="table", source=str(table), data_dir=str(data_dir), image_size=64
        ),
        classifier=ClassifierConfig(fill_captions=str(run.path), **changes),
    )


@pytest.fixture(scope="module")
def task(table, data_dir, captioner_run):
    return load_task(make_settings(table, data_dir, captioner_run), progress=ignore)


def test_only_images_without_text_get_a_caption(task):
    filled = task.info["filled_captions"]
    assert filled["run"] == "run"
    assert set(filled["captions"]) == {"1.jpg", "3.jpg", "6.jpg"}
    assert filled["train"] + filled["test"] == 3
    for examples, count in ((task.train, "train"), (task.test, "test")):
        made = [name for name in examples.ids if name in filled["captions"]]
        assert len(made) == filled[count]
        for name, texts in zip(examples.ids, examples.texts, strict=True):
            text = filled["captions"].get(name, TEXTS[int(name[0])])
            assert texts == [text]
    assert task.train.images.shape[1:] == (64, 64, 3)  # the captioner has 32
    (note,) = [note for note in task.info["notes"] if "caption by run" in note]
    assert "for training" in note and f"1.jpg: {filled['captions']['1.jpg']}" in note


def test_captions_are_those_of_the_captioner(task, table, data_dir, captioner_run):
    settings = make_settings(table, data_dir, captioner_run)
    filled, pipeline = task.info["filled_captions"], load_captioner(captioner_run)
    rows = [
        row for row, name in enumerate(task.train.ids) if name in filled["captions"]
    ]
    update = {"image_size": 32, "keep_uncaptioned": True}
    images = load_data(settings.data.model_copy(update=update)).train.images[rows]
    features = pipeline.encode_images(images)
    vectors = pipeline.embed_images(images, features)
    for row, choices in zip(rows, pipeline.caption(features, vectors), strict=True):
        expected = next(text for text, _ in choices if text)
        assert filled["captions"][task.train.ids[row]] == expected


def test_the_same_captions_are_made_for_several_labels(
    task, table, data_dir, captioner_run
):
    settings = make_settings(table, data_dir, captioner_run, multi_label=True)
    several = load_task(settings, progress=ignore)
    assert several.info["filled_captions"] == task.info["filled_captions"]
    assert several.train.labels.ndim == 2


def test_nothing_is_made_without_need(table, data_dir, captioner_run):
    complete = table.parent / "complete.csv"
    lines = table.read_text().replace(",,", ",a hat,").replace("?!", "hat")
    complete.write_text(lines)
    settings = make_settings(complete, data_dir, captioner_run)
    task = load_task(settings, progress=ignore)
    assert task.info["filled_captions"]["captions"] == {}


def test_the_run_must_have_a_captioner(table, data_dir, tmp_path, captioner_run):
    without = make_run(tmp_path / "images", ("images",))
    with pytest.raises(UserError, match="images has no trained captions.*--stage"):
        load_task(make_settings(table, data_dir, without), progress=ignore)
    settings = make_settings(table, data_dir, captioner_run, modality="image")
    with pytest.raises(UserError, match="Received: classifier.fill_captions=.*image"):
        load_task(settings, progress=ignore)
