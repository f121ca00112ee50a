"""Loads an export again, in a fresh process, and holds it against the run."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from kerasgan.errors import JobError, UserError

# How far an output may be from the run's own, by numpy's kind of it: one level of 255
# for images, whose values lie anywhere between two levels.
TOLERANCE = {"f": 1e-5, "u": 1.0, "i": 0.0, "U": 0.0, "b": 0.0}
# Other programs sum in another order.
OTHERS = {"litert": {"f": 1e-4}, "onnx": {"f": 1e-4}}
MINUTES = 30


def verify_export(path):
    """Tries every endpoint of an export on the examples stored with it, in a process
    that cannot import kerasgan or Keras (but for `--format keras`).

    Args:
        path: the directory that `export_run` wrote.

    Returns:
        `{endpoint: {output: {"kind": numpy's kind, "off": float}}}`; see `fresh.py`.

    Raises:
        UserError: it is no export.
        JobError: it is damaged, does not load, or an output is not the run's.
    """
    path = Path(path).expanduser().absolute()
    for name in ("export.json", "check.npz"):
        if not (path / name).is_file():
            raise UserError(f"{path} is no export: it holds no {name}.")
    manifest = _manifest_of(path)
    _refuse_other_words(path, manifest.get("words", {}))
    # Python's path is this process's, so that it finds the same TensorFlow.
    places = os.pathsep.join(place for place in sys.path if place)
    environment = os.environ | {"PYTHONPATH": places, "TF_CPP_MIN_LOG_LEVEL": "3"}
    fresh = Path(__file__).with_name("fresh.py")
    try:
        tried = subprocess.run(
            [sys.executable, "-P", "-B", str(fresh), str(path)],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60 * MINUTES,
        )
    except subprocess.TimeoutExpired:
        raise JobError(f"{path} gave no answer in {MINUTES} minutes.") from None
    if tried.returncode:
        said = tried.stderr.strip().splitlines()[-12:]
        raise JobError(f"{path} cannot be used by itself:\n" + "\n".join(said))
    results = json.loads(tried.stdout.splitlines()[-1])
    if isinstance(results, str):
        raise JobError(f"{path} cannot be used by itself: {results}")
    refuse_others(results, path, OTHERS.get(manifest["format"], {}))
    return results


def _manifest_of(path):
    place = path / "export.json"
    try:
        manifest = json.loads(place.read_text(encoding="utf-8"))
        missing = {"format", "endpoints"} - set(manifest)
    except (ValueError, TypeError) as error:
        raise JobError(f"{place} is damaged: {error}. Export the run again.") from None
    if missing:
        raise JobError(
            f"{place} is damaged: it holds no {' and no '.join(sorted(missing))}."
            " Export the run again."
        )
    return manifest


def digest_of(path):
    """Of a file's bytes, as export.json has it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _refuse_other_words(path, digests):
    """Lists of words and labels, which no endpoint may ever read."""
    for name, digest in digests.items():
        if not (path / name).is_file():
            raise JobError(f"{path / name} is missing. Export the run again.")
        if digest_of(path / name) != digest:
            raise JobError(
                f"{path / name} is not what was exported: it was changed since."
                " Export the run again."
            )


def refuse_others(results, path, tolerance=None):
    """Refuses results that are too far from the run's.

    Raises:
        JobError: naming the outputs.
    """
    tolerance = TOLERANCE | (tolerance or {})
    wrong = [
        f"{endpoint}: {output} is off by {found['off']:g}"
        for endpoint, outputs in results.items()
        for output, found in outputs.items()
        if not found["off"] <= tolerance[found["kind"]]
    ]
    if wrong:
        raise JobError(f"{path} does not answer as the run does.\n" + "\n".join(wrong))
