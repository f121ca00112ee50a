"""Verifies an export: loads it in a new process and compares it with the run."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasgan.errors import JobError, UserError
from kerasgan.files import read_json
from kerasgan.runs.model_files import file_digest

# Largest difference from the output of the run, by numpy's kind of dtype. Images may
# differ by one level of 255: their values before rounding can lie between two levels.
TOLERANCES = {"f": 1e-5, "u": 1.0, "i": 0.0, "U": 0.0, "b": 0.0}
# Other runtimes sum in a different order.
FORMAT_TOLERANCES = {"litert": {"f": 1e-4}, "onnx": {"f": 1e-4}}
TIMEOUT_MINUTES = 30
MAX_ERROR_LINES = 12
MANIFEST_KEYS = {"format": str, "versions": dict, "stages": dict, "endpoints": list}


def verify_export(path: str | Path) -> dict[str, dict[str, dict]]:
    """Calls every endpoint of an export and compares the outputs with the run's.

    The examples and the reference outputs are those in the export. The process cannot
    import kerasgan or Keras, except for exports in Keras's own format.

    Args:
        path: a directory that `export_run` wrote.

    Returns:
        `{endpoint: {output: {"kind": numpy's kind of dtype, "difference": float}}}`,
        see `verify_in_subprocess.py`.

    Raises:
        UserError: the directory is not an export.
        JobError: the export is damaged, cannot be loaded, or an output differs from the
            run's by more than the tolerance.
    """
    path = Path(path).expanduser().absolute()
    manifest = read_manifest(path)
    check_digests(path, manifest.get("sha256", {}))
    results = _run_in_subprocess(path)
    check_differences(results, path, FORMAT_TOLERANCES.get(manifest["format"], {}))
    return results


def read_manifest(path: Path) -> dict[str, Any]:
    """Reads export.json.

    Args:
        path: the directory of an export.

    Returns:
        See `build_manifest`.

    Raises:
        UserError: the directory is not an export.
        JobError: the file is damaged.
    """
    try:
        return read_json(path / "export.json", MANIFEST_KEYS)
    except FileNotFoundError:
        raise UserError(
            f"{path} is not an export: it does not contain export.json. Make one with"
            " kerasgan export RUN --out DIR"
        ) from None
    except UserError as error:
        raise JobError(f"{error}. Export the run again.") from None


def check_digests(path: Path, digests: Mapping[str, str]) -> None:
    """Compares all files with what was exported, before any is loaded.

    Args:
        path: the directory of an export.
        digests: `sha256` of its manifest.

    Raises:
        JobError: a file is missing or was changed.
    """
    for name, digest in digests.items():
        if not (path / name).is_file():
            raise JobError(f"{path / name} is missing. Export the run again.")
        if file_digest(path / name) != digest:
            raise JobError(
                f"{path / name} was changed after the export. Export the run again."
            )


def _run_in_subprocess(path: Path) -> dict[str, dict[str, dict]]:
    # The same search path as in this process, so that TensorFlow is found.
    search_path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = os.environ | {"PYTHONPATH": search_path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    script = Path(__file__).with_name("verify_in_subprocess.py")
    try:
        process = subprocess.run(
            [sys.executable, "-P", "-B", str(script), str(path)],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60 * TIMEOUT_MINUTES,
        )
    except subprocess.TimeoutExpired:
        raise JobError(
            f"{path} could not be verified within {TIMEOUT_MINUTES} minutes."
        ) from None
    if process.returncode:
        lines = process.stderr.strip().splitlines()[-MAX_ERROR_LINES:]
        raise JobError(f"{path} could not be verified:\n" + "\n".join(lines))
    results = json.loads(process.stdout.splitlines()[-1])
    if isinstance(results, str):
        raise JobError(f"{path} could not be verified: {results}")
    return results


def check_differences(
    results: Mapping[str, Mapping[str, Mapping[str, Any]]],
    path: str | Path,
    tolerances: Mapping[str, float] | None = None,
) -> None:
    """Checks that no output differs from the run's by more than the tolerance.

    Args:
        results: see `verify_export`.
        path: the export, for the error message.
        tolerances: `{kind: float}` which replace `TOLERANCES`.

    Raises:
        JobError: outputs differ. The message names them.
    """
    tolerances = TOLERANCES | dict(tolerances or {})
    # Written so that NaN is an error.
    errors = [
        f"{endpoint}: {output} differs by {result['difference']:g}"
        for endpoint, outputs in results.items()
        for output, result in outputs.items()
        if not result["difference"] <= tolerances[result["kind"]]
    ]
    if errors:
        raise JobError(
            f"The outputs of {path} differ from those of the run.\n" + "\n".join(errors)
        )
