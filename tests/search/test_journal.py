import json

import numpy as np
import pytest

from kerasgan.errors import UserError
from kerasgan.search.journal import Journal

HEADER = {"models": "x", "dim": 3}


def record(name):
    return {"image": name, "size": 1, "mtime_ns": 2, "caption": "a dog"}


def write(path, *names):
    journal = Journal(path, HEADER)
    vectors = np.arange(3 * len(names), dtype="float32").reshape(-1, 3)
    journal.append([record(name) for name in names], vectors)
    return journal


def test_rows_are_kept(tmp_path):
    write(tmp_path, "/a", "/\udcff")
    journal = write(tmp_path, "/c")
    assert [found["image"] for found in journal] == ["/a", "/\udcff", "/c"]
    assert journal.vectors().tolist() == [[0, 1, 2], [3, 4, 5], [0, 1, 2]]
    journal.remove()
    assert Journal(tmp_path, HEADER).num_rows == 0


@pytest.mark.parametrize("file", ["vectors.f32", "records.jsonl"])
@pytest.mark.parametrize("torn", [1, 11])
def test_an_incomplete_row_is_removed(tmp_path, file, torn):
    write(tmp_path, "/a", "/b")
    path = tmp_path / "partial" / file
    path.write_bytes(path.read_bytes()[:-torn])
    journal = Journal(tmp_path, HEADER)
    assert [found["image"] for found in journal] == ["/a"]
    assert journal.vectors().tolist() == [[0, 1, 2]]
    journal = write(tmp_path, "/b")
    assert journal.num_rows == 2 and len(journal.vectors()) == 2


def test_another_header_is_refused(tmp_path):
    write(tmp_path, "/a")
    with pytest.raises(UserError, match="models: 'x' before, 'y' now"):
        Journal(tmp_path, HEADER | {"models": "y"})
    (tmp_path / "partial" / "header.json").write_text("[")
    with pytest.raises(UserError, match="damaged"):
        Journal(tmp_path, HEADER)


def test_a_damaged_line_is_named(tmp_path):
    journal = write(tmp_path, "/a")
    line = json.dumps(record("/b") | {"size": "1"}) + "\n"
    (tmp_path / "partial" / "records.jsonl").write_text(line)
    with pytest.raises(UserError, match="records.jsonl is damaged"):
        list(journal)
