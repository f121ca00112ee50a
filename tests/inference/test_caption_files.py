import io
from types import SimpleNamespace

import pytest

from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.inference.caption_files import read_captions

CAPTIONS = ["a red boat", "two dögs"]


@pytest.mark.parametrize(
    "content",
    [
        "a red boat\ntwo dögs",
        "\ufeffa red boat\r\n\r\n \t\r\n  two   dögs \r\n",
        "\n\na red\x00 boat\n\ntwo\u2028dögs\n",  # U+2028 does not end a line
    ],
)
def test_a_caption_a_line(tmp_path, monkeypatch, content):
    path = tmp_path / "captions.txt"
    path.write_bytes(content.encode())
    assert read_captions(str(path)) == CAPTIONS
    stdin = SimpleNamespace(buffer=io.BytesIO(content.encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert read_captions("-") == CAPTIONS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "price,caption\n1,a red boat\n2,\n3,two dögs\n"),
        ("a.CSV", "id;Title\n1;a red boat\n2;two dögs\n"),
        ("a.tsv", "image\tcaption\na.png\ta red boat\nb.png\ttwo dögs\n"),
        ("a.jsonl", '{"caption": "a red boat"}\n{"x": 1}\n{"caption": "two dögs"}\n'),
        ("b.jsonl", '{"captions": ["a red boat", "two dögs"]}\n'),
    ],
)
def test_tables(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert read_captions(str(tmp_path / name)) == CAPTIONS


def test_parquet(tmp_path):
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"caption": [*CAPTIONS, None]}), path)
    assert read_captions(str(path)) == CAPTIONS


def test_malformed_rows_are_counted(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"caption": "a red boat"}\n[1\n{"caption": "two dögs"}\n', "utf-8")
    report = ReadReport()
    assert read_captions(str(path), report) == CAPTIONS
    assert report.skipped == {"malformed row": 1}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.txt", None, "Cannot read .*none.txt: No such file"),
        ("none.csv", None, "Cannot read .*none.csv: No such file"),
        ("folder", "", "Cannot read .*folder: Is a directory"),
        ("empty.txt", b"\n \n", "empty.txt has no captions"),
        ("empty.csv", b"caption,x\n,1\n", "empty.csv has no captions"),
        ("latin.txt", "Mädchen".encode("latin-1"), "latin.txt is not UTF-8"),
        ("other.csv", b"image,price\na.png,1\n", "Received: 'image', 'price'"),
    ],
)
def test_unreadable_files(tmp_path, name, content, message):
    path = tmp_path / name
    if content == "":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_captions(str(path))
