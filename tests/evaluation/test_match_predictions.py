"""Ids of images that files spell differently."""

from kerasgan.data.annotations import AnnotatedImage
from kerasgan.data.read_report import ReadReport
from kerasgan.evaluation.annotation_files import AnnotatedFile
from kerasgan.evaluation.match_predictions import (
    count_missing,
    image_key,
    match_predictions,
)


def make_images(names, split=None):
    return {
        name: AnnotatedImage(name, "file", n, split=split)
        for n, name in enumerate(names)
    }


def test_ids_that_two_references_share_are_not_guessed():
    names = [f"{folder}/{n}.jpg" for folder in ("train", "test") for n in range(4)]
    predictions = AnnotatedFile("file", make_images(["0.jpg", *names[:4]]))
    references, report = make_images(names), ReadReport()
    matched = match_predictions(predictions, references, report)
    assert list(matched) == names[:4]
    count_missing(references, matched, report)
    assert report.skipped == {"unknown image": 1, "no prediction": 4}


def test_only_splits_with_predictions_miss_some():
    references = make_images(["a", "b"], "test") | make_images(["c"], "train")
    report = ReadReport()
    count_missing(references, ["a"], report)
    assert report.skipped == {"no prediction": 1}


def test_keys_of_images():
    assert image_key("COCO_val2014_000000391895.jpg") == "391895"
    assert image_key("photos\\holiday/000000391895.PNG") == "391895"
    assert image_key("1000268201_693b08cb0e.jpg") == "1000268201_693b08cb0e"
    assert image_key("version 1.2") == "version 1.2"
