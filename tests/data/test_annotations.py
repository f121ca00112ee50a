from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasgan.data.annotations import (
    CaptionRow,
    clean_text,
    group_rows,
    numbered_lines,
    read_text,
)
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

FILE = Path("some.csv")


def row(name, *captions, line=1, **more):
    return CaptionRow(FILE, line, name, captions, **more)


def test_captions_are_cleaned_and_html_stays():
    assert clean_text("  two\x00 dogs\t run \x85 <b>fast</b> &amp; far\n") == (
        "two dogs run <b>fast</b> &amp; far"
    )


def test_the_direction_of_text_is_not_changed():
    marks = [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
    for mark in map(chr, marks):
        assert clean_text(f"gpj.{mark}exe") == "gpj. exe"
    assert clean_text("a \u200d\u200c b") == "a \u200d\u200c b"  # these join letters


@given(st.text())
def test_clean_captions_are_one_trimmed_line(text):
    cleaned = clean_text(text)
    assert cleaned == clean_text(cleaned) == cleaned.strip()
    assert "\n" not in cleaned and "\x00" not in cleaned


def test_rows_of_an_image_are_joined_in_order():
    report = ReadReport()
    images = group_rows([row("a", "1"), row("b", "2"), row("a", "3", "4")], report)
    assert {name: image.captions for name, image in images.items()} == {
        "a": ["1", "3", "4"],
        "b": ["2"],
    }
    assert (report.rows, report.bad_rows, report.skipped) == (3, 0, {})


def test_skipped_rows_are_counted_by_reason():
    report = ReadReport()
    rows = [
        row("", "who?", line=2),
        row("a", "one", key="0", labels=("x",), line=3),
        row("a", "one again", key="0", labels=("x",), line=4),
        row("a", "one", key="0", labels=("x",), line=4),
        row("a", "  ", key="1", labels=("x",), line=5),
        row("a", "two", key="2", labels=("y",), line=6),
        row("b", "", key="0", labels=("x",), line=7),
        row("c", "three", key="0", line=8),
    ]
    images = group_rows(rows, report, require_labels=True)
    assert list(images) == ["a"]
    assert images["a"].captions == ["one", "two"]
    assert images["a"].label == "x"
    assert report.skipped == {
        "missing file name": 1,
        "duplicate id": 1,
        "duplicate row": 1,
        "empty caption": 1,
        "conflicting label": 1,
        "missing caption": 1,
        "missing label": 1,
    }
    assert (report.rows, report.bad_rows) == (8, 5)
    assert {
        "reason": "missing caption",
        "file": "some.csv",
        "line": 7,
        "value": "b",
    } in (report.examples)


@pytest.mark.parametrize(
    "text", ["Zoë läuft", "a.jpg,赤い船が砂浜にある\r\n", "a.jpg," + 200 * "一　"]
)
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_unicode_is_read_in_every_encoding(tmp_path, encoding, text):
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    report = ReadReport()
    assert read_text(tmp_path / "a.csv", report) == text
    assert report.notes == []


@pytest.mark.parametrize(
    "data, text, encoding",
    [(b"Zo\xeb \x96", "Zoë –", "cp1252"), (b"Zo\xeb \x81", "Zoë \x81", "latin-1")],
)
def test_another_encoding_is_noted(tmp_path, data, text, encoding):
    report = ReadReport()
    (tmp_path / "a.csv").write_bytes(data)
    assert read_text(tmp_path / "a.csv", report) == text
    assert report.notes == [f"{tmp_path}/a.csv is not UTF-8; it was read as {encoding}"]


def test_zero_bytes_in_a_text_do_not_make_it_utf_16(tmp_path):
    text = "a.jpg,red\0\n" + "b.jpg,blue" + "\0" * 99
    (tmp_path / "a.csv").write_text(text)
    assert read_text(tmp_path / "a.csv", ReadReport()) == text


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "empty.csv").write_text(" \n")
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfea\x00b")
    for name, message in [
        ("empty.csv", "is empty"),
        ("odd.csv", "UTF-16"),
        ("none.csv", "No such file"),
    ]:
        with pytest.raises(UserError, match=message) as error:
            read_text(tmp_path / name, ReadReport())
        assert str(tmp_path / name) in str(error.value)


def test_only_newlines_end_lines():
    assert list(numbered_lines("a\u2028b\r\n\n c\x0cd")) == [
        (1, "a\u2028b"),
        (3, " c\x0cd"),
    ]


def test_too_many_bad_rows_stop_with_the_first_examples():
    report = ReadReport(rows=10)
    report.skip("duplicate row", FILE, 6, "w.jpg", bad_rows=0)
    report.skip("missing file", FILE, 7, "x.jpg")
    report.check_bad_rows(0.1)
    report.skip("empty file", FILE, 8, "y.jpg")
    with pytest.raises(UserError) as error:
        report.check_bad_rows(0.1)
    assert str(error.value) == (
        "2 of 10 rows are bad (20.0%), more than data.max_bad=0.1 allows: "
        "1 × missing file, 1 × empty file. The first of them:\n"
        "  some.csv:7: missing file: x.jpg\n"
        "  some.csv:8: empty file: y.jpg"
    )


def test_examples_are_few_and_short():
    report = ReadReport()
    for line in range(100):
        report.skip("missing file", FILE, line, "x" * 10_000)
    assert report.skipped == {"missing file": 100}
    assert [len(example["value"]) for example in report.examples] == [200] * 5
