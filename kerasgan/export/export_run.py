"""Runs as models that need no kerasgan: SavedModel, LiteRT, ONNX, or Keras's own."""

import os
import shutil
from pathlib import Path

from kerasgan.data.text import save_vocabulary
from kerasgan.errors import UserError
from kerasgan.export.array_formats import refuse_strings, require_packages, write_models
from kerasgan.export.example_inputs import (
    example_inputs,
    pack,
    read_images,
    save_packed,
)
from kerasgan.export.manifest import endpoints_of, manifest_of
from kerasgan.export.readme import readme_of
from kerasgan.export.reference_outputs import check_networks, run_outputs
from kerasgan.export.saved_model import write_saved_model
from kerasgan.export.verification import digest_of, verify_export
from kerasgan.files import write_json, write_text
from kerasgan.runs import open_run

FORMATS = ("savedmodel", "keras", "litert", "onnx")


def export_run(run, out, name="savedmodel", images=None):
    """Writes a run as models that need no kerasgan, loads them again in a fresh
    process, and holds every output against the run's own.

    Args:
        run: a run directory.
        out: the directory to be written, whole or not at all.
        name: of the format, one of `FORMATS`.
        images: a file or folder to compare by; None: the package draws some.

    Returns:
        What `verify_export` returns.

    Raises:
        UserError: there is no such run, it has nothing to export, `out` is there
            already, packages are missing, or the format cannot hold what it reads.
        JobError: what was written does not answer as the run does.
    """
    if name not in FORMATS:
        raise UserError(f"No format {name!r}; there are {', '.join(FORMATS)}.")
    require_packages(name)
    run, out = open_run(run), Path(out).expanduser().absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is there already. Name another directory with --out.")
    stages, files = stages_of(run), read_images(images)
    refuse_strings(stages, name)
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = out.with_name(f"{out.name}.{os.getpid()}.partial")
    try:
        scratch.mkdir()
        results = _write(run, stages, files, scratch, name)
        os.replace(scratch, out)  # over an empty directory at most
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return results


def stages_of(run):
    """What a run has to export, a list of `Stage`.

    Raises:
        UserError: nothing, or runs of its kind cannot be exported.
    """
    if run.command not in KINDS:
        raise UserError(
            f"{run.path} is a run of {run.command}; exported are runs of"
            f" {', '.join(KINDS)}."
        )
    stages = KINDS[run.command](run)
    if not stages:
        raise UserError(
            f"{run.path} has not finished: continue it with"
            f" kerasgan {run.command} --resume --run-dir {run.path}"
        )
    return stages


def _stages_of_gan(run):
    from kerasgan.export.captioning_stage import captioning_stage
    from kerasgan.export.generator_stage import generator_stage

    stages = []
    if (run.models / "generator.keras").is_file():
        stages.append(generator_stage(run))
    if (run.models / "memory.npz").is_file():
        stages.append(captioning_stage(run))
    return stages


def _stages_of_classifier(run):
    from kerasgan.classification.classifier import CLASSIFIER_FILE
    from kerasgan.export.classifier_stage import classifier_stage

    return [classifier_stage(run)] if (run.models / CLASSIFIER_FILE).is_file() else []


# What exports a run of each kind: a `Run` to a list of `Stage`.
KINDS = {"train-gan": _stages_of_gan, "train-classifier": _stages_of_classifier}


def _write(run, stages, files, path, name):
    # In arrays no file can be empty: they say which images are missing.
    examples = {
        stage.name: example_inputs(stage, files, missing=name == "savedmodel")
        for stage in stages
    }
    if name == "savedmodel":
        write_saved_model(stages, path)
        words = _write_words(stages, path / "assets")
    else:
        write_models(stages, path, name)
        words = _write_words(stages, path)
    packed = pack(examples, arrays=name != "savedmodel")
    if name == "keras":
        endpoints = check_networks(stages, examples, packed)
    else:
        endpoints = list(endpoints_of(stages, name))
        run_outputs(stages, examples, packed)
    digests = {str(file.relative_to(path)): digest_of(file) for file in words}
    manifest = manifest_of(run, stages, name, endpoints, digests)
    save_packed(path / "check.npz", packed)
    write_json(path / "export.json", manifest)
    write_text(path / "README.md", readme_of(stages, manifest))
    return verify_export(path)


def _write_words(stages, path):
    """Vocabularies and labels, whose files are returned."""
    path.mkdir(exist_ok=True)
    files = []
    for stage in stages:
        if stage.vectorizer is not None:
            files.append(path / f"vocabulary-{stage.name}.txt")
            save_vocabulary(stage.vectorizer, files[-1])
        if stage.labels:
            files.append(path / "labels.txt")
            write_text(files[-1], "".join(f"{label}\n" for label in stage.labels))
    return files
