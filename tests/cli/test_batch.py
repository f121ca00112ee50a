"""Batches through the command line's half, with a network that is none."""

import json
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet
import pytest

from kerasgan.cli.batch import answer_all
from kerasgan.data.images import read_square_image
from kerasgan.errors import UserError
from kerasgan.inference import batch
from tests.data import makers

COLUMNS = {"image": str, "caption": str, "error": str}
CHUNK = 8


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(batch, "CHUNK_SIZE", CHUNK)


@pytest.fixture
def folder(tmp_path):
    makers.write_images(tmp_path / "in", makers.names(20))
    (tmp_path / "in" / "1003.jpg").write_text("no image")
    (tmp_path / "in" / "1015.jpg").write_bytes(b"")
    return tmp_path / "in"


class Network:
    """Says of an image how bright it is, where it stood and among how many."""

    def __init__(self, fails_after=None):
        self.calls, self.fails_after, self.drawn = [], fails_after, None

    def load(self):
        return self.see, self.answer, self.draw

    def see(self, one):
        return read_square_image(one.read(), 16, "crop")

    def answer(self, images, asked, start):
        self.calls.append((start, len(images)))
        if len(self.calls) == self.fails_after:
            raise KeyboardInterrupt
        return [
            {"caption": f"{image.sum()} {start}+{place}/{len(images)}"}
            for place, image in enumerate(images)
        ]

    def draw(self, pairs):
        self.drawn = [
            (image.sum() == int(line["caption"].split()[0]), line["image"])
            for image, line in pairs
        ]


def call(network, *images, out=None, resume=False, run="run", **given):
    table = dict.fromkeys(("source", "image_root", "image_column")) | given
    table["caption_columns"] = []
    run = SimpleNamespace(path=run, models=Path("nowhere"))
    question, names = {"command": "caption"}, list(map(str, images))
    out = str(out) if out else None
    answer_all(run, question, names, (), COLUMNS, network.load, out, resume, **table)


def test_a_folder_is_answered_in_chunks(folder, capsys):
    network = Network()
    call(network, folder)
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    names = [line["image"] for line in lines]
    assert names == [f"{folder}/{name}" for name in makers.names(20)]
    errors = {n: line["error"] for n, line in enumerate(lines) if "error" in line}
    assert errors == {3: "not an image", 15: "empty file"}
    assert network.calls == [(0, 7), (8, 7), (16, 4)]
    summary = "18 done, 2 bad: 1 × not an image, 1 × empty file."
    assert summary in said.err
    assert network.drawn == [(True, n) for i, n in enumerate(names) if i not in errors]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("torn", [0, 5])
def test_an_interrupted_batch_becomes_the_same_file(folder, tmp_path, ending, torn):
    whole, out = tmp_path / f"whole.{ending}", tmp_path / f"out.{ending}"
    network, again = Network(), Network()
    call(network, folder, out=whole)
    with pytest.raises(SystemExit) as stopped:
        call(Network(fails_after=3), folder, out=out)
    assert stopped.value.code == 130 and not out.exists()
    partial = tmp_path / f"out.{ending}.partial"
    data = partial.read_bytes()
    partial.write_bytes(data[: len(data) - torn])
    call(again, folder, out=out, resume=True)
    assert again.calls == network.calls[1 if torn else 2 :]
    assert out.read_bytes() == whole.read_bytes()
    assert again.drawn == network.drawn
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"in", f"whole.{ending}", f"out.{ending}"}
    call(again, folder, out=out, resume=True)  # nothing left to do
    assert len(again.calls) <= 2


def test_a_batch_goes_on_with_the_same_alone(folder, tmp_path):
    out = tmp_path / "out.jsonl"
    with pytest.raises(SystemExit):
        call(Network(fails_after=2), folder, out=out)
    with pytest.raises(UserError, match="run: 'run' there, 'other' now"):
        call(Network(), folder, out=out, resume=True, run="other")
    makers.write_images(folder, ["0.jpg"])
    with pytest.raises(UserError, match="images: 20 there, 21 now"):
        call(Network(), folder, out=out, resume=True)
    with pytest.raises(UserError, match="--resume"):
        call(Network(), folder, out=out)


def test_a_table_becomes_parquet(folder, tmp_path):
    rows = ["image,title", *makers.names(4), "../secret.jpg,x"]
    rows = [f"{row},a" if row.endswith(".jpg") else row for row in rows]
    source = makers.table(tmp_path, [*rows, "1,2,3"])
    out = tmp_path / "out.parquet"
    call(Network(), source=str(source), image_root=str(folder), out=out)
    table = pyarrow.parquet.read_table(out).to_pylist()
    errors = [row["error"] for row in table]
    assert errors == [None, None, None, "not an image", "outside the folder"]
    assert table[0]["caption"].endswith(" 0+0/3") and table[4]["caption"] is None


def test_a_table_alone_is_asked_about_with_columns(folder):
    with pytest.raises(UserError, match="Nothing is asked"):
        call(Network())
    with pytest.raises(UserError, match="belong to a --source"):
        call(Network(), folder, image_root="x")
    with pytest.raises(UserError, match="give no others"):
        call(Network(), folder, source="x.csv")
    with pytest.raises(UserError, match="--out"):
        call(Network(), folder, resume=True)


def test_nothing_good_is_a_failure(folder, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no image"):
        call(Network(), tmp_path / "empty")
    with pytest.raises(SystemExit) as failed:
        call(Network(), folder / "1003.jpg")
    assert failed.value.code == 1 and "not an image" in capsys.readouterr().out


def test_a_sheet_shows_the_first_few(folder, monkeypatch, capsys):
    monkeypatch.setattr(batch, "MAX_SHOWN", 3)
    network = Network()
    call(network, folder)
    expected = [f"{folder}/{name}" for name in makers.names(3)]
    assert network.drawn == [(True, name) for name in expected]
    assert "the first 3 of 18" in capsys.readouterr().err
