"""export.json: what an export holds, for programs."""

from importlib.metadata import version

from kerasgan.export.array_formats import SUFFIXES
from kerasgan.export.saved_model import outputs_of


def manifest_of(run, stages, name, endpoints, words=None):
    """What is written to `export.json`.

    Args:
        run: a `Run`.
        stages: a list of `Stage`.
        name: of the format.
        endpoints: what `endpoints_of` or `check_networks` lists.
        words: `{file: digest}` of the lists of words and labels.
    """
    packages = ("kerasgan", "tensorflow", "keras")
    return {
        "format": name,
        "run": run.path.name,
        "versions": {package: version(package) for package in packages},
        "stages": {stage.name: _stage(stage) for stage in stages},
        "endpoints": endpoints,
        "words": words or {},
    }


def _stage(stage):
    settings = {"image_size": stage.image_size, "fit": stage.fit}
    if stage.vectorizer is not None:
        config = stage.vectorizer.get_config()
        settings["caption_length"] = config["output_sequence_length"]
    if stage.latent_dim is not None:
        settings["latent_dim"] = stage.latent_dim
    if stage.masked is not None:
        settings["masked"] = list(stage.masked)
    return settings


def endpoints_of(stages, name):
    """What can be asked for in a format: for each endpoint its file, its inputs with
    the examples of them in check.npz, and its outputs."""
    for stage in stages:
        for endpoint in stage.endpoints:
            if name == "savedmodel":
                file, inputs = None, endpoint.friendly_inputs
                outputs = outputs_of(stage, endpoint)
            else:
                file, inputs = endpoint.name + SUFFIXES[name], endpoint.inputs
                outputs = endpoint.array_outputs
            yield {
                "name": endpoint.name,
                "file": file,
                "inputs": {given: _example(stage, endpoint, given) for given in inputs},
                "outputs": list(outputs),
            }


def _example(stage, endpoint, given):
    name = "captions" if given == endpoint.words else given
    return "input/bytes" if given == "image_bytes" else f"input/{stage.name}/{name}"
