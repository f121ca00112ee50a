"""Jobs of `tools/faults.py` that write the files of a run, or export it."""

import hashlib
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasgan.captioning.caption_store import CaptionStore
from kerasgan.config.settings import Settings
from kerasgan.export.export_run import export_run
from kerasgan.export.verification import verify_export
from kerasgan.files import append_json_line, read_json_lines, write_text
from kerasgan.layers.text_vectorization import load_vocabulary
from kerasgan.runs import new_run, open_run
from kerasgan.training.checkpoints import load_checkpoint, save_checkpoint


def digest(*values: Any) -> str:
    """Returns a digest of arrays and other values."""
    result = hashlib.sha256()
    for value in values:
        is_array = isinstance(value, np.ndarray)
        result.update(value.tobytes() if is_array else repr(value).encode())
    return result.hexdigest()


EPOCHS = 4


def _variables(value):
    shapes = (3, 50), (7,), ()
    return [keras.Variable(np.full(s, value, "float32"), name="v") for s in shapes]


def save_checkpoints(root: Path, first: int = 1) -> None:
    """Writes checkpoints whose weights are the numbers of their epochs."""
    for epoch in range(first, EPOCHS + 1):
        save_checkpoint(root, epoch, _variables(epoch), seconds=epoch / 2)


def check_checkpoints(root: Path) -> str:
    """Continues from the last checkpoint."""
    variables = _variables(0)
    done = load_checkpoint(root, variables) or {"epoch": 0}
    if any((np.asarray(v) != done["epoch"]).any() for v in variables):
        raise AssertionError(f"weights of another epoch than {done}")
    save_checkpoints(root, int(done["epoch"]) + 1)
    load_checkpoint(root, variables)
    return digest(*map(np.asarray, variables))


def log_metrics(root: Path) -> None:
    """Appends lines of metrics."""
    path = root / "metrics.jsonl"
    done = len(read_json_lines(path)) if path.exists() else 0
    for epoch in range(done, 6):
        append_json_line(path, {"epoch": epoch + 1, "loss": 1 / (epoch + 1)})


def check_metrics(root: Path) -> list[dict]:
    """Appends the lines that are missing."""
    log_metrics(root)
    return read_json_lines(root / "metrics.jsonl")


def setup_run(root: Path) -> None:
    """Makes a run directory."""
    new_run("train-gan", Settings(), root / "run")


def write_options(root: Path) -> None:
    """Writes options and data of a run."""
    run = open_run(root / "run")
    with run.lock():
        run.write_data({"train_ids": ["a", "b"], "test_ids": ["c"], "digest": "x"})
        run.update_options(chosen={"gan.conditional": True})


def check_options(root: Path) -> tuple:
    """Writes them again, and reads all."""
    write_options(root)
    run = open_run(root / "run")
    return run.command, run.settings, run.chosen, run.data


def write_models(root: Path) -> None:
    """Writes a network, a vocabulary and a caption store into a run."""
    run = open_run(root / "run")
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    network = keras.Model(inputs, keras.layers.Dense(64)(inputs))
    with run.lock():
        write_text(run.models / "vocabulary.txt", "[START]\na\nred\ndog\n")
        run.check_file("models/vocabulary.txt", record=True)
        run.save_networks({"generator": network})
        store = CaptionStore(np.eye(3), np.ones((3, 2, 4), int), np.ones(5))
        store.save(run.models / "caption-store.npz")


def check_models(root: Path) -> str:
    """Reads the models; what a killed job has not written is named."""
    run = open_run(root / "run")
    weights = run.load_network("generator").get_weights()
    store = CaptionStore.load(run.models / "caption-store.npz")
    run.check_file("models/vocabulary.txt")
    words = load_vocabulary(run.models / "vocabulary.txt")
    return digest(*weights, store.vectors, store.token_ids, store.idf, words)


def setup_export(root: Path) -> None:
    """Makes a run with random weights."""
    from tests.export.makers import make_run

    make_run(root / "run", ["images"], generator_filters=4, max_filters=4)


def export(root: Path) -> None:
    """Exports the run as a SavedModel."""
    if not (root / "exported").is_dir():
        export_run(root / "run", root / "exported")


def check_export(root: Path) -> list[str]:
    """Exports the run unless that is done, and verifies the export."""
    export(root)
    return sorted(verify_export(root / "exported"))
