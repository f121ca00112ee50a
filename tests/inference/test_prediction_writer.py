import json

import pyarrow.parquet
import pytest

from kerasgan.errors import UserError
from kerasgan.inference.prediction_writer import PredictionWriter

COLUMNS = {"image": str, "score": float, "others": [{"score": float}], "error": str}
LINES = [
    {"image": f"ä{n}", "score": n / 3, "others": [{"score": 1.5}][: n % 2]}
    if n % 3
    else {"image": None, "error": "bad"}
    for n in range(7)
]


def written(path, lines, question=None):
    journal = PredictionWriter(str(path), resume=False)
    journal.begin(question or {"seed": 0}, chunk=2)
    journal.append(lines)
    return journal


def test_json_lines_are_in_place_when_whole(tmp_path):
    out = tmp_path / "new" / "a.jsonl"
    journal = written(out, LINES)
    assert not out.exists()
    journal.finish(COLUMNS)
    assert [json.loads(line) for line in out.read_text().splitlines()] == LINES
    assert [path.name for path in out.parent.iterdir()] == ["a.jsonl"]


def test_parquet_holds_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("kerasgan.inference.prediction_writer.GROUP", 3)
    written(tmp_path / "a.parquet", LINES).finish(COLUMNS)
    table = pyarrow.parquet.ParquetFile(tmp_path / "a.parquet")
    assert table.num_row_groups == 3
    nothing = dict.fromkeys(COLUMNS)
    assert table.read().to_pylist() == [nothing | line for line in LINES]
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


@pytest.mark.parametrize("torn, kept", [(1, 6), (20, 6), (60, 4), (10_000, 0)])
def test_whole_chunks_outlive_a_torn_end(tmp_path, torn, kept):
    journal = written(tmp_path / "a.jsonl", LINES)
    journal.partial.write_bytes(journal.partial.read_bytes()[:-torn])
    again = PredictionWriter(str(tmp_path / "a.jsonl"), resume=True)
    assert again.begin({"seed": 0}, chunk=2) == kept
    assert list(again) == LINES[:kept]
    again.append(LINES[kept:])
    assert list(again) == LINES


def test_another_question_is_refused_by_name(tmp_path):
    written(tmp_path / "a.jsonl", LINES, {"seed": 0, "run": "x", "top": 3})
    again = PredictionWriter(str(tmp_path / "a.jsonl"), resume=True)
    with pytest.raises(UserError) as error:
        again.begin({"seed": 1, "run": "x", "fit": "pad"}, chunk=2)
    assert str(error.value).split("\n")[1:] == [
        "seed: 0 there, 1 now",
        "top: 3 there, None now",
        "fit: None there, 'pad' now",
    ]
    assert list(again) == LINES
    again.header.write_text("[1]")
    with pytest.raises(UserError, match="remove both"):
        again.begin({"seed": 0}, chunk=2)


def test_nothing_is_written_over(tmp_path):
    out = str(tmp_path / "a.jsonl")
    journal = written(out, LINES)
    with pytest.raises(UserError, match="--resume"):
        PredictionWriter(out, resume=False)
    journal.finish(COLUMNS)
    with pytest.raises(UserError, match="is there already"):
        PredictionWriter(out, resume=False)
    assert PredictionWriter(out, resume=True).finished
    with pytest.raises(UserError, match=r"\.jsonl or \.parquet"):
        PredictionWriter(str(tmp_path / "a.csv"), resume=False)


def test_a_damaged_line_is_named(tmp_path):
    journal = written(tmp_path / "a.jsonl", LINES[:2])
    with open(journal.partial, "ab") as file:
        file.write(b"\xff\0\n")
    with pytest.raises(UserError, match=r"a\.jsonl\.partial:3 is damaged"):
        list(journal)
