"""Files of the package for `tools/fuzz.py`: runs, models and indexes."""

import contextlib
import io
import pickle
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
from fuzz_datasets import Target, image_bytes, json_lines, write

from kerasgan.captioning.caption_store import CaptionStore
from kerasgan.encoders.pytorch_weights import read_tensors
from kerasgan.errors import UserError
from kerasgan.evaluation.run_predictions import read_predictions
from kerasgan.evaluation.verdicts import evaluate_verdicts
from kerasgan.files import write_json
from kerasgan.inference.prediction_writer import PredictionWriter
from kerasgan.layers.text_vectorization import load_vocabulary
from kerasgan.report import caption_sections
from kerasgan.report.run_report import save_report
from kerasgan.runs import open_run
from kerasgan.search.journal import Journal
from kerasgan.search.search_index import SearchIndex
from kerasgan.training.checkpoints import load_checkpoint, save_checkpoint
from tests.encoders.test_efficientnet_lite import write as write_pytorch
from tests.report.makers import make_run
from tests.search.makers import make_index

# Runs ---------------------------------------------------------------------------


def read_run(root: Path) -> None:
    """Reads all files that resuming a run depends on."""
    run = open_run(root / "run")
    run.require_command("train-gan")
    run.require_same_settings(run.resolved_settings)
    run.write_data(run.data)
    run.truncate_metrics(1)
    run.update_options(chosen=run.chosen, weights=run.weights)


def write_run(root: Path) -> None:
    """A run with the results of an evaluation."""
    run = make_run(root / "run", root)
    write_json(
        run.path / "data.json", run.data | {"train_ids": ["1"], "test_ids": ["2"]}
    )
    for image in run.images.iterdir():
        image.unlink()
    (run.path / "captions.jsonl").unlink()
    (run.path / "metrics.jsonl").write_text('{"epoch": 1}\n{"epoch": 2}\n')


def read_report(root: Path) -> None:
    """Writes the report of a run, without charts, which take most of the time."""
    (root / "run" / "metrics.jsonl").unlink(missing_ok=True)
    with mock.patch.object(caption_sections, "chart_uri", lambda *_: ""):
        save_report([open_run(root / "run")], root / "report.html")


def read_scores(root: Path) -> None:
    """Reads the predictions of a run."""
    read_predictions(open_run(root / "run"))


def write_verdicts(root: Path) -> None:
    """Verdicts on the captions of a run, as a table and as lines of JSON."""
    write_run(root)
    rows = [
        {"image_id": f"scene-{n:06}", "verdict": verdict, "reviewer": name}
        for n, verdict in enumerate(("right", "partly", "wrong"))
        for name in ("a", "b")
    ]
    write(root / "b.jsonl", json_lines(rows))
    lines = [",".join(row.values()) for row in rows]
    write(root / "a.csv", "\n".join(["image_id,verdict,reviewer", *lines, ""]))


def read_verdicts(root: Path) -> None:
    """Compares verdicts with the scores of a run."""
    evaluate_verdicts(open_run(root / "run"), [root / "a.csv", root / "b.jsonl"])


def write_writer(root: Path) -> None:
    """An interrupted file of predictions."""
    writer = PredictionWriter(str(root / "out.csv"), resume=False)
    writer.begin({"run": "x", "size": 3}, 1)
    writer.append([{"image": name, "score": 0.5} for name in ("1.jpg", "2.jpg")])


def read_writer(root: Path) -> None:
    """Continues a file of predictions, and writes it."""
    kept = {path: path.read_bytes() for path in root.iterdir()}
    try:
        writer = PredictionWriter(str(root / "out.csv"), resume=True)
        writer.begin({"run": "x", "size": 3}, 1)
        writer.finish({"image": str, "score": float})
    finally:
        for path in root.iterdir():
            path.unlink()
        for path, content in kept.items():
            path.write_bytes(content)


# Models -------------------------------------------------------------------------


def _variables():
    return [keras.Variable(np.full((2, 3), 1.5, "float32"), name="kernel")]


VARIABLES = _variables()


def write_store(root: Path) -> None:
    """A caption store of three images."""
    token_ids = np.array([[[3, 4, 2], [5, 2, 0]]] * 3)
    store = CaptionStore(np.eye(3, dtype="float32"), token_ids, np.ones(8))
    store.save(root / "store.npz")


def read_store(root: Path) -> None:
    """Uses all arrays of a caption store."""
    store = CaptionStore.load(root / "store.npz")
    _ = store.tfidf, store.cider_reward


def write_vocabulary(root: Path) -> None:
    """A vocabulary with its start token."""
    write(root / "vocabulary.txt", "[START]\na\ndog\nboat\n犬\n")


def write_weights(root: Path) -> None:
    """Weights in PyTorch's old format."""
    rows = np.arange(6, dtype="<f4").reshape(2, 3)
    write_pytorch(root / "weights.pth", {"a": rows, "b": rows.T})


def read_weights(root: Path) -> None:
    """Reads weights, as `efficientnet_lite` does."""
    try:
        read_tensors(root / "weights.pth")
    except pickle.UnpicklingError as error:
        raise UserError(str(error)) from error


def write_index(root: Path) -> None:
    """An index of two images."""
    for name in ("1.png", "2.png"):
        write(root / name, image_bytes())
    names = [str(root / name) for name in ("1.png", "2.png")]
    make_index(root / "index", ["a red dog", "the blue boat"], names=names)


def read_index(root: Path) -> None:
    """Searches an index in each way."""
    index = SearchIndex(root / "index")
    for by in ("words", "embedding", None):
        rows, scores = index.rank("red dog", by)
        index.results(rows, scores)
    rows, scores = index.rank_alike(index.data.vectors(slice(1))[0])
    index.results(rows, scores)
    index.find_file(root / "1.png")
    list(index.data)


HEADER = {"models": "x", "decoding": "greedy", "dim": 4}


def write_journal(root: Path) -> None:
    """What an interrupted `kerasgan index` leaves."""
    record = {"image": "/no/1.jpg", "size": 1, "mtime_ns": 1, "caption": "a dog"}
    Journal(root, HEADER).append([record, record], np.eye(2, 4))


def read_journal(root: Path) -> None:
    """Continues a journal."""
    journal = Journal(root, HEADER)
    assert len(list(journal)) == len(journal.vectors())


def _checkpoint(root: Path) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return load_checkpoint(root, VARIABLES)


RUN_FILES = ("options.json", "data.json", "metrics.jsonl")
RESULTS = ("*.json", "predictions.csv")
MODELS = {
    "run": Target(write_run, read_run, RUN_FILES),
    "run-predictions": Target(write_run, read_scores, ("predictions.csv",)),
    "report": Target(write_run, read_report, RESULTS),
    "verdicts": Target(write_verdicts, read_verdicts, ("a.csv", "b.jsonl")),
    "partial-predictions": Target(write_writer, read_writer),
    "caption-store": Target(write_store, read_store),
    "checkpoint": Target(lambda r: save_checkpoint(r, 1, VARIABLES), _checkpoint),
    "vocabulary": Target(
        write_vocabulary, lambda root: load_vocabulary(root / "vocabulary.txt")
    ),
    "pytorch-weights": Target(write_weights, read_weights),
    "index": Target(write_index, read_index, ("*.npy", "*.json*", "*.txt")),
    "index-journal": Target(write_journal, read_journal),
}
