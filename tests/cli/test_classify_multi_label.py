"""`--multi-label` from a table to an export."""

import json

import numpy as np
import pyarrow.parquet
import pytest
import tensorflow as tf

from kerasgan.report.run_report import save_report
from kerasgan.runs import open_run
from tests.cli.test_classify import TINY, call, write_table

FAST = "--modality=text", "--set=classifier.members=[words]"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    labels = ["red;dog", "blue", "red", "blue|dog"] * 8
    rows = [
        (f"{n}.png", "a dog runs" if "dog" in label else "a cat sleeps", label)
        for n, label in enumerate(labels)
    ]
    return write_table(tmp_path_factory.mktemp("table") / "data", rows)


@pytest.fixture(scope="module")
def shared(table, data_dir):
    source = "--dataset=table", f"--source={table}", f"--data-dir={data_dir}"
    return "train-classifier", "--multi-label", *source, *TINY


@pytest.fixture(scope="module")
def run_dir(shared, tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "run"
    threshold = "--set=classifier.threshold=f1"
    result = call(*shared, *FAST, f"--run-dir={path}", threshold)
    assert "micro F1" in result.output and "paper B's claim" not in result.output
    return path


def test_models_are_compared_by_all_labels(run_dir):
    found = json.loads((run_dir / "results" / "classification.json").read_text())
    assert found["multi_label"] and found["label_names"] == ["blue", "dog", "red"]
    assert list(found["rows"]) == ["majority", "tfidf", "ensemble"]
    assert found["confusion"] == found["reliability"] == {}
    assert not any("ece_mean" in row for row in found["rows"].values())
    assert found["classes"]["tfidf"]["dog"]["f1"] == 1.0
    assert found["rows"]["tfidf"]["accuracy_mean"] < 1  # texts do not have the color
    assert found["rows"]["ensemble"]["weights"]["text"]["words"] > 0
    assert not [*(run_dir / "results").glob("confusion-*.png")]
    page = save_report([open_run(run_dir)]).read_text()
    assert "subset accuracy" in page and "Confusion matrices" not in page


def test_all_labels_above_the_thresholds_are_given(run_dir):
    line = call("classify", run_dir, "--text=a dog runs", "--top=3").stdout
    prediction = json.loads(line)
    names = [choice["class"] for choice in prediction["classes"]]
    others = [choice["class"] for choice in prediction["alternatives"]]
    assert "dog" in names and sorted(names + others) == ["blue", "dog", "red"]
    assert "class" not in prediction


def test_labels_of_a_table_as_parquet(run_dir, table, tmp_path):
    out = tmp_path / "labels.parquet"
    call("classify", run_dir, f"--source={table}", f"--out={out}", "--top=1")
    rows = pyarrow.parquet.read_table(out).to_pylist()
    assert len(rows) == 32 and rows[0]["classes"][0].keys() == {"class", "probability"}


def test_a_run_is_evaluated_on_its_test_pairs_and_another_table(run_dir, table):
    scores = json.loads(call("evaluate", run_dir, "--json").stdout)
    assert scores["classes"]["dog"]["recall"] == 1.0
    assert 0 < scores["micro_f1"] <= 1 and 0 < scores["mean_average_precision"] <= 1
    rows = [("a.png", "a dog", "red;dog;odd"), ("b.png", "a cat", "blue")]
    other = write_table(table.parent / "other", rows)
    text = call("evaluate", run_dir, f"--source={other}").stdout
    assert "subset accuracy" in text and "unknown class odd" in text


def test_a_file_of_predictions_has_the_figures_of_the_run(run_dir, table, tmp_path):
    out = tmp_path / "labels.csv"
    call("classify", run_dir, f"--source={table}", f"--out={out}", "--top=3")
    files = f"--predictions={out}", f"--references={table}"
    found = json.loads(call("evaluate", *files, "--json").stdout)
    run = json.loads(call("evaluate", run_dir, f"--source={table}", "--json").stdout)
    assert found["pairs"] == 32
    for average in ("micro", "macro"):
        for key in ("precision", "recall", "f1"):
            assert found[f"{average}_{key}"] == pytest.approx(run[f"{average}_{key}"])
    assert found["accuracy"] == pytest.approx(run["accuracy"])
    precision = found["mean_average_precision"]
    assert precision == pytest.approx(run["mean_average_precision"])


def test_an_export_gives_probabilities(run_dir, tmp_path):
    call("export", run_dir, f"--out={tmp_path / 'export'}")
    readme = (tmp_path / "export" / "README.md").read_text()
    assert "any number of classes" in readme
    serve = tf.saved_model.load(tmp_path / "export").signatures["classify"]
    outputs = serve(text=tf.constant(["a dog runs"]))
    assert set(outputs) == {"probabilities"}
    assert np.argmax(outputs["probabilities"][0]) == 1


def test_several_labels_are_not_balanced(shared, tmp_path):
    run = tmp_path / "run"
    result = call(*shared, *FAST, "--balance", f"--run-dir={run}", status=2)
    assert "--balance" in result.output and "--multi-label" in result.output
    assert not run.exists()


def test_one_label_is_kept_without_the_option(shared, tmp_path):
    options = [option for option in shared if option != "--multi-label"]
    run = tmp_path / "run"
    result = call(*options, *FAST, f"--run-dir={run}")
    assert "Skipped: 16 × several labels." in result.stderr
    assert "16 rows have several labels, and the first is kept" in result.stderr
    refuse = "--set=data.several_labels=refuse"
    result = call(*options, *FAST, refuse, f"--run-dir={tmp_path}/b", status=2)
    assert "has several labels: red, dog" in result.output
