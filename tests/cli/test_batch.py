"""Batch inference of the command line, with a stand-in for the model."""

import json
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet
import pytest

from kerasgan.cli.batch import BatchPredictor, predict_all
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


class Model:
    """Predicts the brightness of an image, its position and the size of its chunk."""

    def __init__(self, fails_after=None):
        self.calls, self.fails_after, self.drawn = [], fails_after, None

    def load(self):
        return BatchPredictor(self.load_image, self.predict, self.draw)

    def load_image(self, item):
        return read_square_image(item.read(), 16, "crop")

    def predict(self, images, items, start):
        self.calls.append((start, len(images)))
        if len(self.calls) == self.fails_after:
            raise KeyboardInterrupt
        return [
            {"caption": f"{image.sum()} {start}+{index}/{len(images)}"}
            for index, image in enumerate(images)
        ]

    def draw(self, pairs):
        self.drawn = [
            (image.sum() == int(prediction["caption"].split()[0]), prediction["image"])
            for image, prediction in pairs
        ]


def call(model, *images, out=None, resume=False, run="run", **given):
    table = dict.fromkeys(("source", "image_root", "image_column")) | given
    table["caption_columns"] = []
    run = SimpleNamespace(path=run, models=Path("nowhere"))
    options, names = {"command": "caption"}, list(map(str, images))
    out = str(out) if out else None
    predict_all(run, options, names, (), COLUMNS, model.load, out, resume, **table)


def test_a_folder_is_predicted_in_chunks(folder, capsys):
    model = Model()
    call(model, folder)
    captured = capsys.readouterr()
    predictions = [json.loads(line) for line in captured.out.splitlines()]
    names = [prediction["image"] for prediction in predictions]
    assert names == [f"{folder}/{name}" for name in makers.names(20)]
    errors = {n: p["error"] for n, p in enumerate(predictions) if "error" in p}
    assert errors == {3: "not an image", 15: "empty file"}
    assert model.calls == [(0, 7), (8, 7), (16, 4)]
    summary = "18 predicted, 2 failed: 1 × not an image, 1 × empty file."
    assert summary in captured.err
    assert model.drawn == [(True, n) for i, n in enumerate(names) if i not in errors]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("torn", [0, 5])
def test_an_interrupted_batch_becomes_the_same_file(folder, tmp_path, ending, torn):
    whole, out = tmp_path / f"whole.{ending}", tmp_path / f"out.{ending}"
    model, again = Model(), Model()
    call(model, folder, out=whole)
    with pytest.raises(SystemExit) as stopped:
        call(Model(fails_after=3), folder, out=out)
    assert stopped.value.code == 130 and not out.exists()
    partial = tmp_path / f"out.{ending}.partial"
    data = partial.read_bytes()
    partial.write_bytes(data[: len(data) - torn])
    call(again, folder, out=out, resume=True)
    assert again.calls == model.calls[1 if torn else 2 :]
    assert out.read_bytes() == whole.read_bytes()
    assert again.drawn == model.drawn
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"in", f"whole.{ending}", f"out.{ending}"}
    call(again, folder, out=out, resume=True)  # nothing left to do
    assert len(again.calls) <= 2


def test_a_batch_is_only_resumed_with_the_same_inputs(folder, tmp_path):
    out = tmp_path / "out.jsonl"
    with pytest.raises(SystemExit):
        call(Model(fails_after=2), folder, out=out)
    with pytest.raises(UserError, match="run: 'run' before, 'other' now"):
        call(Model(), folder, out=out, resume=True, run="other")
    makers.write_images(folder, ["0.jpg"])
    with pytest.raises(UserError, match="images: 20 before, 21 now"):
        call(Model(), folder, out=out, resume=True)
    with pytest.raises(UserError, match="--resume"):
        call(Model(), folder, out=out)


def test_a_table_becomes_parquet(folder, tmp_path):
    rows = ["image,title", *makers.names(4), "../secret.jpg,x"]
    rows = [f"{row},a" if row.endswith(".jpg") else row for row in rows]
    source = makers.table(tmp_path, [*rows, "1,2,3"])
    out = tmp_path / "out.parquet"
    call(Model(), source=str(source), image_root=str(folder), out=out)
    table = pyarrow.parquet.read_table(out).to_pylist()
    errors = [row["error"] for row in table]
    assert errors == [None, None, None, "not an image", "outside the image folder"]
    assert table[0]["caption"].endswith(" 0+0/3") and table[4]["caption"] is None


def test_contradicting_options(folder):
    with pytest.raises(UserError, match="No inputs"):
        call(Model())
    with pytest.raises(UserError, match="need a table: --source"):
        call(Model(), folder, image_root="x")
    with pytest.raises(UserError, match="cannot be combined"):
        call(Model(), folder, source="x.csv")
    with pytest.raises(UserError, match="--out"):
        call(Model(), folder, resume=True)


def test_no_predictions_exit_with_1(folder, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="Found no images"):
        call(Model(), tmp_path / "empty")
    with pytest.raises(SystemExit) as failed:
        call(Model(), folder / "1003.jpg")
    assert failed.value.code == 1 and "not an image" in capsys.readouterr().out


def test_a_figure_shows_the_first_images(folder, monkeypatch, capsys):
    monkeypatch.setattr(batch, "MAX_PREVIEWS", 3)
    model = Model()
    call(model, folder)
    expected = [f"{folder}/{name}" for name in makers.names(3)]
    assert model.drawn == [(True, name) for name in expected]
    assert "the first 3 of 18" in capsys.readouterr().err
