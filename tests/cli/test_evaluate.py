"""`kerasgan evaluate` without a run."""

import json

import pytest
from click.testing import CliRunner

from kerasgan.cli import main
from kerasgan.config.settings import Settings
from kerasgan.runs import new_run
from tests.data.makers import write_images
from tests.evaluation.makers import write_table

SETS = ["red;dog", "red", "dog"]


def call(*arguments, status=0):
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result


@pytest.fixture
def files(tmp_path):
    names = ["dog", "boat", "tree", "car", "cat", "<b>"]
    references = [
        {"image": f"{name}.jpg", "captions": [f"a {name}", f"one {name} here"]}
        for name in names
    ]
    captions = {f"{name}.jpg": f"the {name} here" for name in names[:5]}
    (tmp_path / "references.jsonl").write_text("\n".join(map(json.dumps, references)))
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    return tmp_path / "captions.json", tmp_path / "references.jsonl"


def test_captions_of_any_system(files):
    options = "--predictions", files[0], "--references", files[1]
    text = call(*options).stdout
    assert "Skipped: 1 × no prediction: <b>.jpg" in text
    assert "chosen on half of the images" in text and "human caption" in text
    results = json.loads(call(*options, "--threshold", 0.4, "--json").stdout)
    row = results["similarity"]["rows"]["predictions"]
    assert row["at_validated"]["threshold"] == 0.4
    assert row["at_validated"]["recall"] == 1.0


def test_sets_of_classes(tmp_path):
    rows = [{"image": f"{n}.jpg", "labels": names} for n, names in enumerate(SETS)]
    references = write_table(tmp_path / "references.csv", rows)
    rows = [{"image": f"{n}.jpg", "class": names[:3]} for n, names in enumerate(SETS)]
    predictions = write_table(tmp_path / "predictions.csv", rows)
    options = "--predictions", predictions, "--references", references
    text = call(*options).stdout
    assert "micro F1 0.857, macro F1 0.833, subset accuracy 0.667, 3 pairs" in text
    assert "mAP" not in text
    assert ["micro", "average", "1.000", "0.750", "0.857", "3"] in [
        line.replace("│", " ").split() for line in text.splitlines()
    ]
    assert "predictions.csv has at most one class in a row: a set of one" in text
    text = call(*options, "--label-separators", "").stdout
    assert "accuracy 0.667, macro F1" in text and "red;dog" in text
    scores = json.loads(call(*options, "--multi-label", "--json").stdout)
    assert scores["micro_recall"] == 0.75


def test_images_of_any_generator(tmp_path):
    write_images(tmp_path, [f"{index}.jpg" for index in range(8)])
    text = call("--images", tmp_path, "--references", tmp_path).stdout
    assert "8 generated images, features: pooled, of efficientnet-lite0" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Name a RUN, or --predictions FILE with --references FILE"),
        (["--predictions", "a"], "Name a RUN, or"),
        (["--references", "a"], "Name a RUN, or"),
        (["--predictions", "a", "--images", "b"], "not both"),
        (["--source", "a"], "--source needs a RUN"),
        (["--predictions", "a", "--rerank=3"], "--rerank needs a RUN"),
        (["RUN", "--images", "a"], "--images is for evaluating without a RUN"),
        (["RUN", "--multi-label"], "--multi-label is for evaluating without a RUN"),
        (["--predictions", "a", "--threshold", "2"], "0<=x<=1"),
    ],
)
def test_options_that_do_not_fit(options, message):
    assert message in call(*options, status=2).output


def test_only_captions_are_reranked(tmp_path):
    run = new_run("train-classifier", Settings(), tmp_path / "run")
    result = call(run.path, "--rerank", 3, status=2)
    assert "--rerank is for runs of train-gan" in result.output


def test_names_in_json_cannot_control_the_terminal(files):
    content = json.loads(files[0].read_text())
    files[0].write_text(json.dumps(content | {"\x9b31m\u202e.jpg": "a whale"}))
    options = "--predictions", files[0], "--references", files[1], "--threshold", 0.4
    printed = call(*options, "--json").stdout
    assert "\\u009b31m\\u202e.jpg" in printed and printed[:-1].isprintable()
    assert json.loads(printed)["left_out"]["unknown image"] == 1
