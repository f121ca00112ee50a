"""Runs of several workers: the chief alone writes the run directory."""

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kerasgan.config.settings import Settings
    from kerasgan.runs import Run

# Of a run that is resumed: what the chief may be writing, and training does not read.
NOT_COPIED = "*.partial*", "features", "tensorboard", "images"


def is_chief(settings: "Settings") -> bool:
    """Returns whether this process writes the run.

    Args:
        settings: all settings.

    Raises:
        UserError: the strategy is `multi-worker`, and `TF_CONFIG` is malformed.
    """
    if settings.training.strategy != "multi-worker":
        return True
    from kerasgan.training.workers import read_tf_config

    return read_tf_config()[1] == 0


def own_run(
    command: str, settings: "Settings", run: "Run | None", run_dir: str | None
) -> "Run":
    """Makes the run of this process, or takes the one that is resumed.

    Args:
        command: the command that trains.
        settings: all settings.
        run: the run that is resumed, or None.
        run_dir: as given on the command line.

    Returns:
        The run; for a worker that is not the chief a copy in a temporary directory,
        which is deleted when the process ends.
    """
    from kerasgan.runs import new_run, open_run

    if is_chief(settings):
        return run or new_run(command, settings, run_dir)
    folder = tempfile.mkdtemp(prefix="kerasgan-worker-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "run"
    click.echo("This worker writes nothing: the chief has the run.", err=True)
    if run is None:
        return new_run(command, settings, path)
    shutil.copytree(run.path, path, ignore=shutil.ignore_patterns(*NOT_COPIED))
    copy = open_run(path)
    copy.images.mkdir()
    return copy
