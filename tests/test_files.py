"""Files that are written, appended to, and found damaged."""

import json
import zipfile

import numpy as np
import pytest

from kerasgan.errors import UserError
from kerasgan.files import (
    append_json_line,
    exclusive_lock,
    is_whole,
    load_arrays,
    open_partial,
    read_json,
    read_json_lines,
    write_json,
)


def test_a_line_follows_complete_lines_only(tmp_path):
    path = tmp_path / "rows.jsonl"
    append_json_line(path, {"row": 1})
    with open(path, "a") as file:
        file.write('{"row": 2, "sco')  # and the process was killed
    assert read_json_lines(path) == [{"row": 1}]
    append_json_line(path, {"row": 3})
    assert read_json_lines(path) == [{"row": 1}, {"row": 3}]


@pytest.mark.parametrize("text", ["[1]\n", "{\n", "\n", "[" * 9000 + "\n", "\xff\n"])
def test_damaged_lines_are_named(tmp_path, text):
    (tmp_path / "rows.jsonl").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="rows.jsonl is damaged"):
        read_json_lines(tmp_path / "rows.jsonl")


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1}', "", "{" * 9000])
def test_damaged_objects_are_named(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match="a.json is damaged"):
        read_json(tmp_path / "a.json", {"a": str})


def replace_header(path, old, new):
    with zipfile.ZipFile(path) as file:
        content = file.read("x.npy").replace(old, new)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x.npy", content)


@pytest.mark.parametrize(
    ("old", "new"), [(b"(3,)", b"(3,("), (b"(3,)", b"(9e9,)"), (b"'<i8'", b"'|O' ")]
)
def test_damaged_arrays_are_a_value_error(tmp_path, old, new):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(3))
    assert load_arrays(path)["x"].tolist() == [0, 1, 2]
    replace_header(path, old, new)
    with pytest.raises(ValueError):
        load_arrays(path)


def test_every_flipped_byte_of_an_array_is_found(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(3))
    content = path.read_bytes()
    start = content.index(np.arange(3).tobytes())
    for place in range(start, start + 24):
        path.write_bytes(
            content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        )
        with pytest.raises(ValueError, match="CRC"):
            load_arrays(path)


def test_json_that_is_complete_is_read(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"a": "x", "b": [1]}))
    assert read_json(tmp_path / "a.json", {"a": str, "b": list})["b"] == [1]
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "b.json")


def test_a_checksum_covers_all_that_is_before_it(tmp_path):
    path = tmp_path / "a.npy"
    assert not is_whole(path)
    with open_partial(path, checksum=True) as file:
        np.save(file, np.arange(5))
    assert is_whole(path) and np.load(path, mmap_mode="r").tolist() == [*range(5)]
    other = path.rename(tmp_path / "b.npy")
    assert not is_whole(other)  # it is in another's place
    content = other.rename(path).read_bytes()
    for place in (0, 70, len(content) - 10, len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 4
        path.write_bytes(changed)
        assert not is_whole(path)
    for size in (0, 3, len(content) - 1):
        path.write_bytes(content[:size])
        assert not is_whole(path)


def test_a_changed_object_is_noticed(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"b": 1.5, "a": {"x": [None, "é"]}, 3: 4}, checksum=True)
    assert read_json(path) == {"b": 1.5, "a": {"x": [None, "é"]}, "3": 4}
    path.write_text(path.read_text().replace("1.5", "1.4"))
    with pytest.raises(UserError, match="a.json is damaged: its content"):
        read_json(path)


def test_a_lock_keeps_others_away(tmp_path):
    def lock():
        return exclusive_lock(tmp_path / ".lock", "busy")

    with lock(), pytest.raises(UserError, match="busy"), lock():
        pass
    with lock():
        pass
