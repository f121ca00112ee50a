"""Exports a run and verifies the export."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from kerasgan.errors import UserError
from kerasgan.export.array_formats import (
    require_packages,
    require_string_support,
    write_models,
)
from kerasgan.export.endpoints import Stage
from kerasgan.export.example_inputs import (
    build_example_inputs,
    pack_examples,
    read_image_files,
    save_arrays,
)
from kerasgan.export.manifest import build_manifest, list_endpoints
from kerasgan.export.readme import build_readme
from kerasgan.export.reference_outputs import (
    add_network_outputs,
    add_reference_outputs,
)
from kerasgan.export.saved_model import write_saved_model
from kerasgan.export.verification import verify_export
from kerasgan.files import partial_path, replace, write_json, write_text
from kerasgan.layers.text_vectorization import save_vocabulary
from kerasgan.runs import Run, open_run
from kerasgan.runs.model_files import file_digest

FORMATS = ("savedmodel", "keras", "litert", "onnx")


def export_run(
    run: str | Path | Run,
    path: str | Path,
    format: str = "savedmodel",
    images: str | Path | None = None,
) -> dict[str, dict[str, dict]]:
    """Exports a run as models that do not need kerasgan, and verifies them.

    The models are loaded in a new process, and each output is compared with the output
    of the networks of the run.

    Args:
        run: a run directory or a `Run`.
        path: the directory to write; it must not exist or be empty. It is written
            completely or not at all.
        format: one of `FORMATS`.
        images: an image file, or a folder of images, to verify the export with; None
            to draw images.

    Returns:
        The result of `verify_export`.

    Raises:
        UserError: there is no such run, it has nothing to export, `path` already
            exists, packages are missing, or the format does not support the inputs.
        JobError: the export's outputs differ from those of the run.
    """
    if format not in FORMATS:
        raise UserError(
            f"The format must be one of {', '.join(FORMATS)}. Received: {format!r}"
        )
    require_packages(format)
    run = run if isinstance(run, Run) else open_run(run)
    path = Path(path).expanduser().absolute()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(f"{path} already exists. Name another directory with --out.")
    stages, files = load_stages(run), read_image_files(images)
    require_string_support(stages, format)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = partial_path(path)
    try:
        scratch.mkdir()
        results = _write_export(run, stages, files, scratch, format)
        replace(scratch, path)  # at most replaces an empty directory
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return results


def load_stages(run: Run) -> list[Stage]:
    """Loads the stages of a run that can be exported.

    Args:
        run: a run.

    Returns:
        A list of `Stage`.

    Raises:
        UserError: no stage has finished, or runs of this command cannot be exported.
    """
    if run.command not in STAGE_LOADERS:
        raise UserError(
            f"Only runs of {', '.join(STAGE_LOADERS)} can be exported. Received:"
            f" {run.path}, a run of {run.command}"
        )
    stages = STAGE_LOADERS[run.command](run)
    if not stages:
        raise UserError(
            f"{run.path} has not finished. Continue with"
            f" kerasgan {run.command} --resume --run-dir {run.path}"
        )
    return stages


def _load_gan_stages(run):
    from kerasgan.export.captioning_stage import captioning_stage
    from kerasgan.export.generator_stage import generator_stage

    stages = []
    if (run.models / "generator.keras").is_file():
        stages.append(generator_stage(run))
    if (run.models / "caption-store.npz").is_file():
        stages.append(captioning_stage(run))
    return stages


def _load_classifier_stages(run):
    from kerasgan.classification.classifier import CLASSIFIER_FILE
    from kerasgan.export.classifier_stage import classifier_stage

    return [classifier_stage(run)] if (run.models / CLASSIFIER_FILE).is_file() else []


# {command: function from a `Run` to a list of `Stage`}
STAGE_LOADERS = {
    "train-gan": _load_gan_stages,
    "train-classifier": _load_classifier_stages,
}


def _write_export(
    run: Run, stages: Sequence[Stage], files: list[bytes], path: Path, format: str
) -> dict[str, dict[str, dict]]:
    is_saved_model = format == "savedmodel"
    # Arrays cannot express a missing image.
    examples = {
        stage.name: build_example_inputs(stage, files, include_missing=is_saved_model)
        for stage in stages
    }
    if is_saved_model:
        write_saved_model(stages, path)
        _write_text_files(stages, path / "assets")
    else:
        write_models(stages, path, format)
        _write_text_files(stages, path)
    packed = pack_examples(examples, include_arrays=not is_saved_model)
    if format == "keras":
        endpoints = add_network_outputs(stages, examples, packed)
    else:
        endpoints = list(list_endpoints(stages, format))
        add_reference_outputs(stages, examples, packed)
    save_arrays(path / "check.npz", packed)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    digests = {str(file.relative_to(path)): file_digest(file) for file in files}
    manifest = build_manifest(run, stages, format, endpoints, digests)
    write_json(path / "export.json", manifest)
    write_text(path / "README.md", build_readme(stages, manifest))
    return verify_export(path)


def _write_text_files(stages, path):
    """Writes vocabularies and labels."""
    path.mkdir(exist_ok=True)
    for stage in stages:
        if stage.vectorizer is not None:
            save_vocabulary(stage.vectorizer, path / f"vocabulary-{stage.name}.txt")
        if stage.label_names:
            text = "".join(f"{name}\n" for name in stage.label_names)
            write_text(path / "labels.txt", text)
