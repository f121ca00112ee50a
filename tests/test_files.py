"""Files that are written, appended to, and found damaged."""

import json
import os
import stat
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
    replace,
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


@pytest.mark.parametrize(
    "text",
    ["[1]\n", "{\n", "\n", "[" * 9000 + "\n", "\xff\n", r'{"a": "\uD800"}' "\n"],
)
def test_damaged_lines_are_named(tmp_path, text):
    (tmp_path / "rows.jsonl").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="rows.jsonl is damaged"):
        read_json_lines(tmp_path / "rows.jsonl")


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"a": 1}', "", "{" * 9000, r'{"a": "\ud800"}']
)
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


def test_all_is_on_the_disk_before_and_with_its_name(tmp_path, monkeypatch):
    calls, fsync, rename = [], os.fsync, os.replace

    def record(descriptor):
        calls.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    monkeypatch.setattr(os, "replace", lambda *to: calls.append("name") or rename(*to))
    with open_partial(tmp_path / "a.txt") as file:
        file.write(b"a")
    inodes = [path.stat().st_ino for path in (tmp_path / "a.txt", tmp_path)]
    assert calls == [inodes[0], "name", inodes[1]]
    calls.clear()
    partial = tmp_path / "partial"
    (partial / "deep").mkdir(parents=True)
    (partial / "deep" / "b.txt").write_text("b")
    replace(partial, tmp_path / "whole")
    whole = [tmp_path / "whole", *(tmp_path / "whole").rglob("*")]
    assert {path.stat().st_ino for path in whole} == set(calls[:3])
    assert calls[3:] == ["name", inodes[1]]


def test_a_file_system_that_cannot_sync_directories_is_written_to(
    tmp_path, monkeypatch
):
    def fail(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "fsync", fail)
    write_json(tmp_path / "a.json", 1)
    assert read_json(tmp_path / "a.json") == 1


def test_writers_in_one_process_do_not_share_a_partial_file(tmp_path):
    with open_partial(tmp_path / "a") as one:
        one.write(b"one")
        with open_partial(tmp_path / "a") as other:
            other.write(b"other")
        assert (tmp_path / "a").read_bytes() == b"other"
    assert (tmp_path / "a").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_types_may_be_joined(tmp_path):
    write_json(tmp_path / "a.json", {"a": None})
    assert read_json(tmp_path / "a.json", {"a": list | None}) == {"a": None}
    with pytest.raises(UserError, match=r"a.json is damaged: it has no str . None 'b'"):
        read_json(tmp_path / "a.json", {"b": str | None})
