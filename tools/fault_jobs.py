"""The jobs that `tools/faults.py` disturbs: each writes files, and can be continued."""

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fault_runs import (
    check_checkpoints,
    check_export,
    check_metrics,
    check_models,
    check_options,
    digest,
    export,
    log_metrics,
    save_checkpoints,
    setup_export,
    setup_run,
    write_models,
    write_options,
)
from fault_training import (
    begin_captions,
    begin_classifier,
    begin_images,
    check_captions,
    check_classifier,
    check_images,
    find_source,
    setup_classifier,
    setup_training,
    write_source,
)

from kerasgan.config.settings import DataConfig, Settings
from kerasgan.data import load_data
from kerasgan.encoders import feature_cache
from kerasgan.errors import UserError
from kerasgan.files import exclusive_lock
from kerasgan.inference.prediction_writer import PredictionWriter
from kerasgan.runs import new_run, open_run
from kerasgan.search.build_index import LOCK
from kerasgan.search.checksums import check_files
from kerasgan.search.index_files import IndexData, read_manifest
from kerasgan.search.journal import Journal
from kerasgan.search.publish import publish
from kerasgan.search.search_index import SearchIndex
from tests.search.makers import make_index, unit_vectors

FILE_FAULTS = ("deleted", "emptied", "truncated", "flipped", "cleared", "exchanged")
SOURCES = ("source-changed", "source-moved", "source-gone")


class Job(NamedTuple):
    """What is disturbed.

    Attributes:
        name: for tables.
        setup: prepares a folder.
        work: writes files; it is disturbed.
        check: continues the work, and returns its result.
        cost: of a trial, relative to the others.
        immune: faults that are not tried.
        ignores: says whether a file is no part of the job.
        is_whole: whether `check` alone does all, with the same result.
    """

    name: str
    setup: Callable[[Path], Any]
    work: Callable[[Path], Any]
    check: Callable[[Path], Any]
    cost: float = 1
    immune: tuple[str, ...] = SOURCES
    ignores: Callable[[Path], bool] = lambda path: False
    is_whole: bool = False


# Data ---------------------------------------------------------------------------


def _pairs_digest(config):
    values: list = []
    for keep in ("always", "never"):
        kept = config.model_copy(update={"keep_in_memory": keep})
        pairs = load_data(kept, progress=False)
        for split in (pairs.train, pairs.test):
            values += [split.ids, list(split.captions), np.asarray(split.images)]
    return digest(*values)


def _scenes(root):
    return DataConfig(num_images=6, image_size=32, data_dir=str(root / "data"))


def _table(root):
    source = str(find_source(root) / "table.csv")
    settings = {"dataset": "table", "source": source, "image_size": 8}
    return DataConfig(data_dir=str(root / "data"), max_bad=0.0, **settings)


def setup_table(root: Path) -> None:
    """Writes a table, and makes its run."""
    write_source(root)
    write_options_of_data(root, None)


def write_options_of_data(root: Path, info: dict | None) -> None:
    """Makes the run of a table, or tells it which data were read."""
    if info is None:
        new_run("train-gan", Settings(data=_table(root)), root / "run")
    else:
        open_run(root / "run").write_data(info)


def prepare_table(root: Path) -> None:
    """Prepares the table for a run."""
    write_options_of_data(root, load_data(_table(root), progress=False).info)


def check_table(root: Path) -> str:
    """Resumes the run."""
    prepare_table(root)
    return _pairs_digest(_table(root))


def _features(root):
    feature_cache.SHARD_SIZE = 4
    feature_cache.encode_images = lambda encoder, images, *_: (
        np.asarray(images, np.float16).mean(axis=3, keepdims=True) / 7
    )
    images = np.arange(10 * 16 * 16 * 3).reshape(10, 16, 16, 3) % 251
    encoder = types.SimpleNamespace(output_shape=(None, 16, 16, 1))
    return feature_cache.store_features(encoder, images, root / "features")


# Results ------------------------------------------------------------------------


def write_predictions(root: Path, resume: bool = False) -> None:
    """Writes predictions chunk by chunk, or continues."""
    writer = PredictionWriter(str(root / "out.csv"), resume)
    if writer.finished:
        return
    done = writer.begin({"run": "x"}, 4)
    for start in range(done, 24, 4):
        rows = [{"image": f"{n}.jpg", "score": n / 7} for n in range(start, start + 4)]
        writer.append(rows)
    writer.finish({"image": str, "score": float})


def check_predictions(root: Path) -> str:
    """Continues predictions."""
    write_predictions(root, resume=True)
    return (root / "out.csv").read_text()


VECTORS = unit_vectors(9)
CAPTIONS = [f"a red dog {'runs ' * n}" for n in range(9)]


def setup_index(root: Path) -> None:
    """Makes an index of three images."""
    make_index(root / "index", CAPTIONS[:3], VECTORS[:3])


def update_index(root: Path) -> None:
    """Adds six images, in chunks of two, as `kerasgan index` does."""
    path = root / "index"
    with exclusive_lock(path / LOCK, "Another process updates the index."):
        _update_index(path)


def _update_index(path):
    manifest = read_manifest(path)
    if manifest is None:
        raise UserError("There is no index.")
    check_files(path / manifest["data"])
    old = IndexData.open(path / manifest["data"])
    missing = [n for n in range(9) if n >= len(old)]
    if not missing:
        return
    journal = Journal(path, {name: manifest[name] for name in ("models", "dim")})
    for start in range(3 + journal.num_rows, 9, 2):
        rows = range(start, min(start + 2, 9))
        state = {"size": 1, "mtime_ns": 1}
        records = [
            {"image": f"/no/{n}.jpg", "caption": CAPTIONS[n], **state} for n in rows
        ]
        journal.append(records, VECTORS[list(rows)])
    kept, finished = np.arange(len(old)), np.arange(journal.num_rows)
    publish(path, manifest, old, kept, journal, finished)


def check_index(root: Path) -> str:
    """Continues the update, and searches."""
    update_index(root)
    index = SearchIndex(root / "index")
    found = [index.rank("red dog", by) for by in ("words", "embedding", None)]
    records = [(r["image"], r["caption"]) for r in index.data]
    return digest(*(array for pair in found for array in pair), records)


def _is_source(path):
    return "source" in path.parts or path.name == ".lock"


def _is_run_file(path):
    """What a run does not need: TensorBoard, grids, and files without a checksum."""
    names = ("metrics.jsonl", "captions.jsonl", "captions.json", "leaks.json")
    names += ("rows.jsonl", "classification.json")
    is_grid = path.suffix == ".png" or "tensorboard" in path.parts
    return is_grid or path.name in names or _is_source(path)


def _is_no_export(path):
    return "exported" not in path.parts or path.name == "README.md"


def _is_lock(path):
    return path.name == ".lock"


TRAINING = 300, (), _is_run_file, True
_JOBS = [
    Job("checkpoint", save_checkpoints, save_checkpoints, check_checkpoints),
    Job(
        *("metrics", log_metrics, log_metrics, check_metrics),
        immune=(*FILE_FAULTS, *SOURCES, "two-processes"),
    ),
    Job("options", setup_run, write_options, check_options, ignores=_is_lock),
    Job("models", setup_run, write_models, check_models, 3, ignores=_is_lock),
    Job(
        *("features", lambda root: None, _features),
        lambda root: digest(_features(root)[:]),
    ),
    Job(
        *("predictions", lambda root: None, write_predictions, check_predictions),
        immune=(*SOURCES, *FILE_FAULTS),
    ),
    Job("index", setup_index, update_index, check_index, 2, ignores=_is_lock),
    Job(
        *("scenes", lambda root: None),
        lambda root: load_data(_scenes(root), progress=False),
        lambda root: _pairs_digest(_scenes(root)),
        *(20, SOURCES, _is_lock),
    ),
    Job(
        *("table", setup_table, prepare_table, check_table),
        *(20, (), _is_source),
    ),
    Job("train", setup_training, begin_images, check_images, *TRAINING),
    Job("captions", setup_training, begin_captions, check_captions, *TRAINING),
    Job("classifier", setup_classifier, begin_classifier, check_classifier, *TRAINING),
    Job(
        *("export", setup_export, export, check_export),
        *(300, (*SOURCES, "two-processes"), _is_no_export),
    ),
]
JOBS = {job.name: job for job in _JOBS}
