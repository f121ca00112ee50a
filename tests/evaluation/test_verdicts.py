"""What people say of captions, beside the TF-IDF cosine, and their agreement."""

import csv
import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kerasgan.cli import main
from kerasgan.errors import UserError
from kerasgan.evaluation.run_predictions import read_predictions
from kerasgan.evaluation.verdicts import (
    cohen_kappa,
    evaluate_verdicts,
    fleiss_kappa,
    median_verdict,
)
from kerasgan.report.run_report import save_report
from tests.report.makers import PageReader, make_run

# Fleiss 1971's table as Wikipedia shows it: 14 raters, 10 subjects, kappa .210.
FLEISS = [
    *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0]),
    *([2, 2, 8, 1, 1], [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2]),
    *([6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
]


def write_verdicts(path, rows, columns=("image_id", "verdict")):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("verdicts")
    return make_run(root / "run", root)


def image(number):
    return f"scene-{number:06}"


def test_the_cosine_is_compared_with_verdicts(run, tmp_path):
    verdicts = ["right", "wrong", "Partly", "right", "wrong", "right"]
    rows = [[image(n), verdict] for n, verdict in enumerate(verdicts)]
    results = evaluate_verdicts(run, [write_verdicts(tmp_path / "ann.csv", rows)])
    assert results["row"] == "reranked" and results["reviewers"] == {"ann": 6}
    assert results["verdicts"] == {"right": 3, "partly": 1, "wrong": 2}
    found = read_predictions(run)["reranked"]
    positive = [float(row["matched"]) >= 0.5 for row in found[:6]]
    counts = results["tfidf"]["right"]["at_half"]
    right = [verdict == "right" for verdict in verdicts]
    pairs = list(zip(positive, right, strict=True))
    assert counts["tp"] == pairs.count((True, True))
    assert counts["fp"] == pairs.count((True, False))
    assert counts["fn"] == pairs.count((False, True))
    assert counts["tn"] == pairs.count((False, False))
    lenient = results["tfidf"]["right or partly"]["at_half"]
    assert lenient["tp"] + lenient["fn"] == 4
    assert results["agreement"] == {"cohen": [], "fleiss": None, "images": 6}
    assert run.read("results/verdicts.json") == results


def test_several_reviewers(run, tmp_path):
    ann = [[image(n), v] for n, v in enumerate(["right", "right", "wrong", "wrong"])]
    bob = [[image(n), v] for n, v in enumerate(["right", "wrong", "wrong"])]
    files = [
        write_verdicts(tmp_path / f"{name}.csv", rows)
        for name, rows in (("ann", ann), ("bob", bob))
    ]
    results = evaluate_verdicts(run, files)
    assert results["verdicts"] == {"right": 1, "partly": 0, "wrong": 3}
    (pair,) = results["agreement"]["cohen"]
    assert pair["images"] == results["agreement"]["images"] == 3
    # 2 of 3 agree; by chance 2/3 · 1/3 + 1/3 · 2/3 = 4/9.
    assert pair["kappa"] == pytest.approx((2 / 3 - 4 / 9) / (1 - 4 / 9))
    arguments = ["evaluate", str(run.path)]
    arguments += [text for file in files for text in ("--verdicts", str(file))]
    text = CliRunner().invoke(main, arguments).stdout
    assert "Cohen's kappa of ann and bob, 3 images: 0.400." in text
    assert "Fleiss' kappa of all reviewers, 3 images: 0.333." in text
    texts = PageReader(save_report([run]).read_text(encoding="utf-8")).texts
    assert "What people say, beside the TF-IDF cosine" in texts


def test_verdicts_that_cannot_be_used_are_counted(run, tmp_path):
    columns = "image_id", "verdict", "caption", "row", "correction"
    rows = [
        [image(0), "right", "'=1+1", "reranked", "'=2"],
        [image(0), "wrong", "", "reranked", ""],
        [image(1), "right", "another caption", "reranked", ""],
        [image(2), "splendid", "", "reranked", ""],
        ["scene-999999", "right", "", "reranked", ""],
        [image(3), "right", "", "human", ""],
        [image(4), "right"],
    ]
    file = write_verdicts(tmp_path / "ann.csv", rows, columns)
    results = evaluate_verdicts(run, [file])
    assert results["images"] == results["corrections"] == 1
    assert results["left_out"] == {
        "further verdict": 1,
        "verdict on another caption": 1,
        "unknown verdict": 1,
        "verdict on an unknown image": 1,
        "verdict on another row": 1,
        "malformed row": 1,
    }
    file = write_verdicts(tmp_path / "bob.csv", rows[2:4], columns)
    with pytest.raises(UserError, match="No verdict can be used: 1 × verdict on"):
        evaluate_verdicts(run, [file])
    file = write_verdicts(tmp_path / "eve.csv", [["a", "b"]], ("image", "verdict"))
    with pytest.raises(UserError, match="no columns image_id and verdict"):
        evaluate_verdicts(run, [file])


def test_files_of_the_same_name_are_different_reviewers(run, tmp_path):
    files = []
    for name, verdict in (("ann", "right"), ("bob", "wrong")):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "verdicts.csv"
        files.append(write_verdicts(path, [[image(0), verdict], [image(1), "right"]]))
    results = evaluate_verdicts(run, [*files, files[1]])
    assert results["reviewers"] == {str(file): 2 for file in files}
    assert results["left_out"] == {"further verdict": 2}
    assert results["agreement"]["cohen"][0]["images"] == 2
    results = evaluate_verdicts(run, [files[0], files[0]])
    assert results["reviewers"] == {"verdicts": 2}


def test_a_correction_without_a_verdict_is_counted(run, tmp_path):
    columns = "image_id", "verdict", "correction"
    rows = [[image(0), "right", ""], [image(1), "", "a boat"], [image(2), "", ""]]
    file = write_verdicts(tmp_path / "ann.csv", rows, columns)
    results = evaluate_verdicts(run, [file])
    assert results["images"] == 1 and results["corrections"] == 0
    counts = {"correction without a verdict": 1, "unknown verdict": 1}
    assert results["left_out"] == counts


def test_verdicts_need_a_run_of_captions(tmp_path):
    result = CliRunner().invoke(main, ["evaluate", "--verdicts", "a.csv"])
    assert result.exit_code == 2 and "--verdicts needs a RUN" in result.output


def test_fleiss_kappa_of_his_example():
    assert fleiss_kappa(FLEISS) == pytest.approx(0.20993, abs=5e-6)
    assert fleiss_kappa([[3, 0], [0, 3]]) == 1.0
    for undefined in ([], [[3, 0], [3, 0]], [[1, 0], [0, 1]]):
        assert fleiss_kappa(undefined) is None


@given(
    st.lists(
        st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1, max_size=8
    )
)
def test_fleiss_kappa_counts_agreeing_pairs(verdicts):
    """Its definition, by counting pairs of reviewers one by one."""
    counts = [[row.count(value) for value in range(3)] for row in verdicts]
    agreeing = [
        sum(row[i] == row[j] for i in range(3) for j in range(i)) / 3
        for row in verdicts
    ]
    everything = [value for row in verdicts for value in row]
    chance = sum((everything.count(v) / len(everything)) ** 2 for v in range(3))
    if chance == 1:
        assert fleiss_kappa(counts) is None
    else:
        mean = sum(agreeing) / len(agreeing)
        expected = (mean - chance) / (1 - chance)
        assert fleiss_kappa(counts) == pytest.approx(expected)


def test_kappa_without_variation_is_undefined():
    assert cohen_kappa(["right"], ["right"]) is cohen_kappa([], []) is None
    assert cohen_kappa(["right", "wrong"], ["right", "right"]) == 0.0


def test_the_median_is_the_worse_of_the_middle_two():
    assert median_verdict(["right", "wrong", "right"]) == "right"
    assert median_verdict(["right", "partly"]) == "partly"


def test_a_line_without_a_verdict_is_left_out(run, tmp_path):
    rows = [{"image_id": image(0), "verdict": "right"}, {"image_id": image(1)}, {}]
    path = tmp_path / "ann.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    results = evaluate_verdicts(run, [path])
    assert results["images"] == 1
    assert results["left_out"] == {
        "unknown verdict": 1,
        "verdict on an unknown image": 1,
    }


@pytest.mark.parametrize("line", ["reranked,a,b,x,0,0", "reranked,a", "a,b,c,0,0,0,0"])
def test_damaged_predictions_are_named(tmp_path, line):
    damaged = make_run(tmp_path / "run", tmp_path)
    with open(damaged.results / "predictions.csv", "a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match="predictions.csv is damaged"):
        read_predictions(damaged)
