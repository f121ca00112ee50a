"""Classes in files: one for each image, or any number."""

import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    precision_recall_fscore_support,
)
from sklearn.preprocessing import MultiLabelBinarizer

from kerasgan.config.settings import DataConfig
from kerasgan.errors import UserError
from kerasgan.evaluation.evaluate_files import evaluate_files
from kerasgan.inference.prediction_writer import save_csv
from tests.evaluation.makers import write_table

TRUTH = [["red", "dog"], ["blue"], ["dog"], ["red"], ["blue", "dog"], ["red"]]
FOUND = [["red"], ["blue", "dog"], ["dog"], [], ["dog", "blue"], ["green"]]
CLASSES = ["blue", "dog", "green", "red"]
PROBABILITIES = np.random.default_rng(0).random((6, 3)).round(3)
SETS = DataConfig(dataset="table", several_labels="all")


def make_rows(column, sets, convert=list):
    return [
        {"image": f"/data/{n}.jpg", column: convert(names)}
        for n, names in enumerate(sets)
    ]


def write_sets(path, column, sets, convert=list):
    return write_table(path, make_rows(column, sets, convert))


@pytest.fixture
def references(tmp_path):
    return write_sets(tmp_path / "references.csv", "label", TRUTH, "; ".join)


def separated(folder):
    return write_sets(folder / "predictions.csv", "predicted_labels", FOUND, "|".join)


def json_cells(folder):
    return write_sets(folder / "predictions.csv", "labels", FOUND, json.dumps)


def json_lines(folder):
    return write_sets(folder / "predictions.jsonl", "prediction", FOUND)


def parquet(folder):
    path = folder / "predictions.parquet"
    table = pyarrow.Table.from_pylist(make_rows("classes", FOUND))
    pyarrow.parquet.write_table(table, path)
    return path


@pytest.mark.parametrize("form", [separated, json_cells, json_lines, parquet])
def test_sets_are_scored_as_scikit_learn_does(form, references, tmp_path):
    results = evaluate_files(form(tmp_path), references)
    binarizer = MultiLabelBinarizer(classes=CLASSES)
    arrays = binarizer.fit_transform(TRUTH), binarizer.transform(FOUND)
    for average in ("micro", "macro"):
        keys = [f"{average}_{key}" for key in ("precision", "recall", "f1")]
        expected = precision_recall_fscore_support(
            *arrays, average=average, zero_division=0
        )
        assert [results[key] for key in keys] == pytest.approx(list(expected[:3]))
    assert results["accuracy"] == accuracy_score(*arrays)
    rows = precision_recall_fscore_support(*arrays, zero_division=0)
    keys = "precision", "recall", "f1", "pairs"
    assert results["classes"] == {
        name: dict(zip(keys, row, strict=True))
        for name, *row in zip(CLASSES, *rows, strict=True)
    }
    assert results["pairs"] == 6 and results["left_out"] == {}
    assert "mean_average_precision" not in results and "confusion" not in results
    assert "Predicted, but in no reference: green" in results["notes"]
    assert "Predictions without a class, which are empty sets: 1" in results["notes"]


def with_columns(folder):
    rows = make_rows("labels", FOUND, ";".join)
    for row, values in zip(rows, PROBABILITIES, strict=True):
        row |= dict(zip(("blue", "dog", "red"), values, strict=True))
    return write_table(folder / "columns.csv", rows)


def of_classify(path, convert=list):
    """As `kerasgan classify --top 4` writes them."""
    rows = []
    for number, values in enumerate(PROBABILITIES):
        choices = [
            {"class": name, "probability": value}
            for name, value in zip(("blue", "dog", "red"), values, strict=True)
        ]
        labels = [c for c in choices if c["class"] in FOUND[number]]
        if "green" in FOUND[number]:
            labels.append({"class": "green", "probability": 0.7})
        others = [c for c in choices if c not in labels]
        row = {"image": f"{number}.jpg", "text": "a dog", "classes": convert(labels)}
        rows.append(row | {"alternatives": convert(others), "error": None})
    return write_table(path, rows)


@pytest.mark.parametrize(
    "form",
    [
        with_columns,
        lambda folder: of_classify(folder / "classify.jsonl"),
        lambda folder: of_classify(folder / "classify.csv", json.dumps),
    ],
)
def test_probabilities_give_the_mean_average_precision(form, references, tmp_path):
    results = evaluate_files(form(tmp_path), references)
    labels = MultiLabelBinarizer().fit_transform(TRUTH)
    expected = average_precision_score(labels, PROBABILITIES, average="macro")
    assert results["mean_average_precision"] == pytest.approx(expected)
    without = evaluate_files(json_lines(tmp_path), references)
    assert without["classes"] == results["classes"]
    assert without["micro_f1"] == results["micro_f1"]


@pytest.mark.parametrize("value", ["", "high", "nan"])
def test_incomplete_probabilities_are_noted(value, references, tmp_path):
    rows = make_rows("labels", FOUND, ";".join)
    rows = [{**row, "blue": 0.5, "dog": value, "red": 0.5} for row in rows]
    results = evaluate_files(write_table(tmp_path / "p.csv", rows), references)
    assert "mean_average_precision" not in results
    note = "No mAP: 6 predictions lack the probability of a class, such as 'dog'"
    assert note in results["notes"]


def test_one_class_in_a_row_is_a_set_of_one(references, tmp_path):
    sets = [names[:1] for names in TRUTH]
    single = write_sets(tmp_path / "single.csv", "label", sets, "".join)
    results = evaluate_files(single, references)
    assert results["micro_precision"] == 1.0
    assert results["micro_recall"] == pytest.approx(6 / 8)
    assert f"{single} has at most one class in a row: a set of one" in results["notes"]
    swapped = evaluate_files(references, single)
    assert swapped["micro_precision"] == results["micro_recall"]
    assert f"{single} has at most one class in a row: a set of one" in swapped["notes"]


def test_rows_of_an_image_are_joined(references, tmp_path):
    rows = [
        {"image": f"{n}.jpg", "label": name}
        for n, names in enumerate(TRUTH)
        for name in names
    ]
    long = write_table(tmp_path / "long.csv", rows)
    assert evaluate_files(long, references)["accuracy"] == 1.0
    results = evaluate_files(long, long)
    assert results["left_out"]["conflicting label"] == 4 and "confusion" in results
    results = evaluate_files(long, long, config=SETS)
    assert results["left_out"] == {} and results["micro_recall"] == 1.0
    assert results["classes"]["dog"]["pairs"] == 3


def test_separators_may_be_part_of_names(references):
    config = DataConfig(dataset="table", label_separators="")
    results = evaluate_files(references, references, config=config)
    assert "red; dog" in results["classes"] and "confusion" in results
    config = DataConfig(dataset="table", several_labels="refuse")
    with pytest.raises(UserError, match="csv:2 has several labels: red, dog"):
        evaluate_files(references, references, config=config)


def test_references_without_classes_do_not_count(references, tmp_path):
    sets = [[], *TRUTH[1:5]]
    expected = write_sets(tmp_path / "references.jsonl", "label", sets)
    results = evaluate_files(references, expected)
    assert results["pairs"] == 4 and results["accuracy"] == 1.0
    assert results["left_out"] == {"no reference class": 1, "unknown image": 1}


def test_one_class_alone_is_an_error(tmp_path):
    path = write_sets(tmp_path / "one.csv", "label", [["red"]] * 3, "".join)
    with pytest.raises(UserError, match="At least two classes .* Received: 'red'"):
        evaluate_files(path, path, config=SETS)


def test_classes(tmp_path):
    references = write_table(
        tmp_path / "labels.csv",
        [
            {"image": f"{n}.jpg", "title": "text", "label": label}
            for n, label in enumerate(["a", "a", "b", "b", ""])
        ],
    )
    rows = [
        {"image": f"/data/{n}.jpg", "text": "text", "class": name}
        for n, name in enumerate(["a", "c", "b", None])
    ]
    predictions = write_table(tmp_path / "classes.jsonl", rows)
    results = evaluate_files(predictions, references)
    assert results["pairs"] == 3 and results["accuracy"] == pytest.approx(2 / 3)
    assert results["left_out"] == {"no predicted class": 1}
    assert list(results["classes"]) == ["a", "b", "c"]
    assert results["confusion"] == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert results["notes"] == ["Predicted, but in no reference: c"]
    captions = tmp_path / "results.token"
    captions.write_text("1.jpg#0\ta dog\n")
    with pytest.raises(UserError, match="labels.csv has classes, but .* has none"):
        evaluate_files(references, captions)


def test_classes_of_a_csv_are_read_back(tmp_path):
    """`classify --out x.csv` writes an apostrophe before what looks like a formula."""
    pairs = {"-1.jpg": "-1", "+1.jpg": "+1", "=.jpg": "-1", "'tis.jpg": "+1"}
    rows = [{"image": name, "label": label} for name, label in pairs.items()]
    references = write_table(tmp_path / "labels.csv", rows)
    predictions = tmp_path / "classes.csv"
    rows = [{"image": name, "class": label} for name, label in pairs.items()]
    save_csv(rows, {"image": str, "class": str}, predictions)
    assert "'-1" in predictions.read_text()
    results = evaluate_files(predictions, references)
    assert results["accuracy"] == 1.0 and results["pairs"] == 4
    assert set(results["classes"]) == {"-1", "+1"} and not results["left_out"]


def test_a_cell_without_a_value_is_no_class(tmp_path):
    labels = {"0.jpg": "a", "1.jpg": "b", "2.jpg": "NaN", "3.jpg": "a"}
    rows = [{"image": name, "label": label} for name, label in labels.items()]
    references = write_table(tmp_path / "labels.csv", rows)
    predicted = zip(labels, ["a", "b", "a", "None"], strict=True)
    rows = [{"image": name, "class": label} for name, label in predicted]
    results = evaluate_files(write_table(tmp_path / "classes.csv", rows), references)
    assert list(results["classes"]) == ["a", "b"] and results["pairs"] == 2
    assert results["left_out"] == {"no reference class": 1, "no predicted class": 1}


def test_a_table_with_its_own_predictions(tmp_path):
    rows = [
        {"image": f"{n}.jpg", "label": n % 2, "prediction": n % 2 or n % 4}
        for n in range(8)
    ]
    path = write_table(tmp_path / "both.csv", rows)
    results = evaluate_files(path, path)
    assert results["accuracy"] == 0.75
