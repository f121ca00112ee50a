"""Makes and finds run directories."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from kerasgan.config.settings import Settings
from kerasgan.errors import UserError
from kerasgan.runs.run import Run

FOLDERS = ("images", "checkpoints", "models", "results", "tensorboard")


def new_run(
    command: str,
    settings: Settings,
    run_dir: str | Path | None = None,
    root: str | Path = "runs",
) -> Run:
    """Makes a run directory that holds the settings and nothing else yet.

    Args:
        command: the command that trains.
        settings: its settings.
        run_dir: the directory; None: the next number under `root`.
        root: the directory of numbered runs.

    Returns:
        The `Run`.

    Raises:
        UserError: `run_dir` exists and is not empty.
    """
    if run_dir is not None:
        path = Path(run_dir).expanduser().absolute()
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UserError(
                f"{path} already exists. Continue it with --resume, or name another"
                " directory."
            )
        path.mkdir(parents=True, exist_ok=True)
    else:
        path = _make_next(Path(root).absolute(), f"{command}-{settings.data.dataset}")
    run = Run(path)
    run.write_options(command, settings)
    for folder in FOLDERS:
        (path / folder).mkdir(exist_ok=True)
    return run


@contextlib.contextmanager
def training_run(
    command: str, settings: Settings | None, run: Run | None
) -> Iterator[tuple[Settings, Run]]:
    """Resolves the settings and the run directory of a training, and locks the run.

    A training that is refused with a UserError leaves the run's settings as they were.

    Args:
        command: the command that trains.
        settings: None: the run's, or the defaults.
        run: None: a new one.

    Yields:
        The settings and the run.

    Raises:
        UserError: the run was started with other settings, or another process trains
            it.
    """
    run = run or new_run(command, settings or Settings())
    with run.lock():
        before = run.settings
        settings = settings or before
        run.require_same_settings(settings)
        run.write_options(command, settings)
        try:
            yield settings, run
        except UserError:
            if settings != before:
                run.write_options(command, before)
            raise


def open_run(path: str | Path, data_dir: str | None = None) -> Run:
    """Opens an existing run directory.

    Args:
        path: of the directory.
        data_dir: where its prepared data set is now, if it was moved.

    Returns:
        The `Run`.

    Raises:
        UserError: there is no run, or another version of kerasgan wrote it.
    """
    path = Path(path).expanduser().absolute()
    if not (path / "options.json").is_file():
        raise UserError(f"There is no run at {path}: no options.json in it.")
    run = Run(path, data_dir)
    run.require_version()
    return run


def latest_run(command: str, root: str | Path = "runs") -> Run:
    """Opens the run of a command with the highest number.

    Args:
        command: the command that trained.
        root: the directory of numbered runs.

    Returns:
        The `Run`.

    Raises:
        UserError: there is no run of this command.
    """
    root = Path(root).absolute()
    paths = [
        path
        for path in _numbered(root)
        if f"-{command}-" in path.name and (path / "options.json").is_file()
    ]
    if not paths:
        raise UserError(f"There is no run of {command} under {root} to resume.")
    return open_run(paths[-1])


def _numbered(root):
    paths = root.glob("[0-9]*-*") if root.is_dir() else ()
    return sorted(
        (path for path in paths if path.name.split("-")[0].isdigit()),
        key=lambda path: int(path.name.split("-")[0]),
    )


def _make_next(root, name):
    root.mkdir(parents=True, exist_ok=True)
    while True:
        paths = _numbered(root)
        number = int(paths[-1].name.split("-")[0]) + 1 if paths else 0
        path = root / f"{number:05d}-{name}"
        try:
            path.mkdir()
            return path
        except FileExistsError:  # another process made it first
            continue
