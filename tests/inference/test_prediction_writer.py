import csv
import json

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasgan.errors import UserError
from kerasgan.inference.prediction_writer import (
    PredictionWriter,
    escape_formula,
    json_line,
    unescape_formula,
)

COLUMNS = {"image": str, "score": float, "others": [{"score": float}], "error": str}
PREDICTIONS = [
    {"image": f"ä{n}", "score": n / 3, "others": [{"score": 1.5}][: n % 2]}
    if n % 3
    else {"image": None, "error": "bad"}
    for n in range(7)
]


def write(path, predictions, settings=None):
    writer = PredictionWriter(str(path), resume=False)
    writer.begin(settings or {"seed": 0}, chunk_size=2)
    writer.append(predictions)
    return writer


def test_json_lines_appear_when_they_are_complete(tmp_path):
    out = tmp_path / "new" / "a.jsonl"
    writer = write(out, PREDICTIONS)
    assert not out.exists()
    writer.finish(COLUMNS)
    assert [json.loads(line) for line in out.read_text().splitlines()] == PREDICTIONS
    assert [path.name for path in out.parent.iterdir()] == ["a.jsonl"]


def test_csv_contains_the_same(tmp_path):
    out = tmp_path / "a.csv"
    write(out, [*PREDICTIONS, {"image": "=1+1", "score": -1.0}]).finish(COLUMNS)
    with open(out, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS) and len(rows) == 8
    assert [row["image"] for row in rows[:3]] == ["", "ä1", "ä2"]
    assert json.loads(rows[1]["others"]) == [{"score": 1.5}]
    assert (rows[7]["image"], rows[7]["score"]) == ("'=1+1", "-1.0")


@given(st.text())
def test_a_line_of_json_is_printable_and_equal(text):
    line = json_line({"image": text})
    assert line.endswith("\n") and line[:-1].isprintable()
    assert json.loads(line) == {"image": text}


def test_parquet_contains_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("kerasgan.inference.prediction_writer.ROW_GROUP_SIZE", 3)
    write(tmp_path / "a.parquet", PREDICTIONS).finish(COLUMNS)
    table = pyarrow.parquet.ParquetFile(tmp_path / "a.parquet")
    assert table.num_row_groups == 3
    missing = dict.fromkeys(COLUMNS)
    assert table.read().to_pylist() == [
        missing | prediction for prediction in PREDICTIONS
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


@pytest.mark.parametrize(
    "lost_bytes, num_kept", [(1, 6), (20, 6), (60, 4), (10_000, 0)]
)
def test_complete_chunks_are_kept_after_an_interruption(tmp_path, lost_bytes, num_kept):
    writer = write(tmp_path / "a.jsonl", PREDICTIONS)
    writer.close()
    writer.partial.write_bytes(writer.partial.read_bytes()[:-lost_bytes])
    again = PredictionWriter(str(tmp_path / "a.jsonl"), resume=True)
    assert again.begin({"seed": 0}, chunk_size=2) == num_kept
    assert list(again) == PREDICTIONS[:num_kept]
    again.append(PREDICTIONS[num_kept:])
    assert list(again) == PREDICTIONS


def test_other_settings_are_rejected_and_named(tmp_path):
    write(tmp_path / "a.jsonl", PREDICTIONS, {"seed": 0, "run": "x", "top": 3}).close()
    again = PredictionWriter(str(tmp_path / "a.jsonl"), resume=True)
    with pytest.raises(UserError) as error:
        again.begin({"seed": 1, "run": "x", "fit": "pad"}, chunk_size=2)
    assert str(error.value).split("\n")[1:] == [
        "seed: 0 before, 1 now",
        "top: 3 before, None now",
        "fit: None before, 'pad' now",
    ]
    assert list(again) == PREDICTIONS
    again.header.write_text("[1]")
    with pytest.raises(UserError, match="Remove both"):
        again.begin({"seed": 0}, chunk_size=2)


def test_files_are_not_overwritten(tmp_path):
    out = str(tmp_path / "a.jsonl")
    writer = write(out, PREDICTIONS)
    with pytest.raises(UserError, match="--resume"):
        PredictionWriter(out, resume=False)
    writer.finish(COLUMNS)
    with pytest.raises(UserError, match="exists already"):
        PredictionWriter(out, resume=False)
    assert PredictionWriter(out, resume=True).finished
    with pytest.raises(UserError, match=r"\.csv or \.parquet"):
        PredictionWriter(str(tmp_path / "a.txt"), resume=False)


def test_a_damaged_line_is_named(tmp_path):
    writer = write(tmp_path / "a.jsonl", PREDICTIONS[:2])
    with open(writer.partial, "ab") as file:
        file.write(b"\xff\0\n")
    with pytest.raises(UserError, match=r"a\.jsonl\.partial:3 is damaged"):
        list(writer)


def test_one_process_writes_a_file(tmp_path):
    first = PredictionWriter(str(tmp_path / "out.csv"), resume=False)
    second = PredictionWriter(str(tmp_path / "out.csv"), resume=False)
    for writer in (first, second):
        writer.begin({}, 1)
    first.append([{"image": "a"}])
    with pytest.raises(UserError, match="Another process is writing .*out.csv"):
        second.append([{"image": "a"}])
    third = PredictionWriter(str(tmp_path / "out.csv"), resume=True)
    with pytest.raises(UserError, match="Another process is writing .*out.csv"):
        third.begin({}, 1)
    first.finish({"image": str})
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "'tis", "''", "-", "a=b", "", "\n@"])
def test_escaped_formulas_are_read_back(text):
    escaped = escape_formula(text)
    assert not escaped.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert unescape_formula(escaped) == text
