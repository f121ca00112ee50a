"""Loads what the page can do from runs, exports and an index."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kerasgan.captioning.pipeline import STORE_FILE, load_captioner
from kerasgan.classification.classifier import load_classifier
from kerasgan.errors import UserError
from kerasgan.gan.image_generator import load_gan
from kerasgan.runs import open_run
from kerasgan.runs.model_files import models_digest
from kerasgan.search.models import load_pipeline
from kerasgan.search.search_index import SearchIndex
from kerasgan.serve.exports import (
    Export,
    ExportedCaptioner,
    ExportedClassifier,
    ExportedGenerator,
)
from kerasgan.serve.models import Models
from kerasgan.serve.runs import RunCaptioner, RunClassifier, RunGenerator


def load_models(paths: Sequence[Path], message: Callable[[str], None]) -> Models:
    """Loads the models of runs, exports and an index.

    Args:
        paths: a run of `train-gan`, a run of `train-classifier` and an index, or some
            of them; an export stands for its run. If neither captions, the run of the
            index does.
        message: called with what is not available.

    Raises:
        UserError: a path is none of them or damaged, there are two of a kind, a run has
            not been trained, or the index was built with another run.
    """
    opened: dict[str, Any] = {}
    for path in paths:
        found = _open(path)
        kind = "index" if isinstance(found, SearchIndex) else found.command
        if kind in opened:
            raise UserError(f"Two of a kind: {opened[kind].path} and {found.path}.")
        opened[kind] = found
    models = Models(index=opened.get("index"))
    if gan := opened.get("train-gan"):
        load = _load_gan_export if isinstance(gan, Export) else _load_gan_run
        load(models, gan)
    if models.index:
        _load_index_run(models, message)
    if classifier := opened.get("train-classifier"):
        models.classifier = _load_classifier(classifier)
    return models


def _open(path):
    if (path / "options.json").is_file():
        return open_run(path)
    if (path / "export.json").is_file() or (path / "saved_model.pb").is_file():
        return Export(path)
    return SearchIndex(path)


def _load_gan_run(models, run):
    if (run.models / "generator.keras").is_file():
        models.generator = RunGenerator(load_gan(run))
    if (run.models / STORE_FILE).is_file():
        _check_index(models.index, run, models_digest(run.models))
        models.captioner = RunCaptioner(load_captioner(run), run.settings.data.fit)
    if not (models.generator or models.captioner):
        raise UserError(
            f"{run.path} has not finished a stage. Continue with kerasgan train-gan"
            f" --resume --run-dir {run.path}"
        )


def _load_gan_export(models, export):
    if "images" in export.stages:
        models.generator = ExportedGenerator(export)
    if "captions" in export.stages:
        _check_index(models.index, export, export.stages["captions"].get("models"))
        models.captioner = ExportedCaptioner(export)


def _check_index(index, source, digest):
    if index and digest != index.manifest["models"]:
        raise UserError(f"{index.path} was built with other models than {source.path}.")


def _load_classifier(source):
    if isinstance(source, Export):
        return ExportedClassifier(source)
    return RunClassifier(load_classifier(source), source.settings.data.fit)


def _load_index_run(models, message):
    """Captions photographs with the models of the index, if its run is there."""
    index = models.index
    if models.captioner is None:
        try:
            fit = open_run(index.manifest["run"]).settings.data.fit
            models.captioner = RunCaptioner(load_pipeline(index), fit)
        except UserError as error:
            message(f"Photographs are not captioned: {error}")
    captioner = models.captioner
    index.load_pipeline = lambda: captioner or load_pipeline(index)
