"""export.json: what an export contains, for programs."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from kerasgan.export.array_formats import SUFFIXES
from kerasgan.export.endpoints import Endpoint, Stage
from kerasgan.runs import Run


def build_manifest(
    run: Run,
    stages: Sequence[Stage],
    format: str,
    endpoints: Sequence[dict],
    digests: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Builds the content of `export.json`.

    Args:
        run: the run.
        stages: the stages that are exported.
        format: name of the format.
        endpoints: the result of `list_endpoints` or `add_network_outputs`.
        digests: `{file: SHA-256}` of the other files.

    Returns:
        A dict that JSON can represent.
    """
    packages = ("kerasgan", "tensorflow", "keras")
    return {
        "format": format,
        "run": run.path.name,
        "versions": {package: version(package) for package in packages},
        "stages": {stage.name: _stage_settings(stage) for stage in stages},
        "endpoints": endpoints,
        "sha256": dict(digests or {}),
    }


def _stage_settings(stage):
    settings = {"image_size": stage.image_size, "fit": stage.fit}
    if stage.vectorizer is not None:
        config = stage.vectorizer.get_config()
        settings["caption_length"] = config["output_sequence_length"]
    if stage.latent_dim is not None:
        settings["latent_dim"] = stage.latent_dim
    if stage.masked_words is not None:
        settings["masked_words"] = list(stage.masked_words)
    if stage.accepts_missing:
        settings["accepts_missing"] = True
    if stage.models_digest is not None:
        settings["models"] = stage.models_digest
    return settings


def list_endpoints(stages: Sequence[Stage], format: str) -> Iterator[dict[str, Any]]:
    """Lists the endpoints of an export.

    Args:
        stages: the stages that are exported.
        format: name of the format; not `"keras"`, whose models are networks and not
            endpoints.

    Yields:
        For each endpoint its name, its file (None in a SavedModel), its inputs with the
        keys of their examples in check.npz, and the names of its outputs.
    """
    for stage in stages:
        for endpoint in stage.endpoints:
            if format == "savedmodel":
                file, inputs = None, endpoint.serving_inputs
                outputs = stage.serving_outputs(endpoint)
            else:
                file, inputs = endpoint.name + SUFFIXES[format], endpoint.inputs
                outputs = endpoint.array_outputs
            yield {
                "name": endpoint.name,
                "file": file,
                "inputs": {
                    name: _example_key(stage, endpoint, name) for name in inputs
                },
                "outputs": list(outputs),
            }


def _example_key(stage: Stage, endpoint: Endpoint, name: str) -> str:
    if name == "image_bytes":
        return "input/bytes"
    name = "captions" if name == endpoint.text_input else name
    return f"input/{stage.name}/{name}"
