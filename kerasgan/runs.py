"""The run directory: what one training leaves behind, and how it is read back.

options.json     every setting, what was chosen where a setting leaves it open,
                 versions and the git commit
data.json        what was read and how it was split
metrics.jsonl    one line an epoch of the images' stage
captions.jsonl   one line an epoch of the captions' stage
images/          image grids, and the captions that they show
checkpoints/     what `--resume` continues from
models/          *.keras and vocabulary.txt
results/         one JSON a judgement
tensorboard/     the same figures as metrics.jsonl
"""

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zipfile import BadZipFile

from kerasgan.config.recipes import differences, resolve
from kerasgan.config.settings import Settings
from kerasgan.errors import UserError
from kerasgan.files import write_json, write_text

# What may change when a run goes on: what is left to do, and how it is shown.
RESUMABLE = {
    "training.stage",
    "training.epochs",
    "training.minutes",
    "training.grid",
    "training.grid_every",
    "data.data_dir",
}
FOLDERS = ("images", "checkpoints", "models", "results", "tensorboard")


@dataclass(frozen=True)
class Run:
    """One run directory.

    Attributes:
        data_dir: where its prepared data set lies now, if not where it was.
    """

    path: Path
    data_dir: str | None = None

    @property
    def images(self) -> Path:
        return self.path / "images"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def results(self) -> Path:
        return self.path / "results"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def command(self) -> str:
        return self.read("options.json")["command"]

    @property
    def settings(self) -> Settings:
        """The settings that the run was started with."""
        options = self.read("options.json")
        moved = {"data.data_dir": self.data_dir} if self.data_dir else None
        place = str(self.path / "options.json")
        return resolve(options["settings"], moved, place=place)

    @property
    def chosen(self) -> dict:
        """What the data decided where settings leave it open."""
        return self.read("options.json").get("chosen", {})

    @property
    def data(self) -> dict:
        return self.read("data.json")

    @property
    def captions(self) -> list[str]:
        """The captions that the run's grids show, one a row."""
        path = self.images / "captions.json"
        if not path.is_file():
            raise UserError(
                f"{path} is not there: the run has trained nothing yet, or without"
                " captions, or is older than this file."
            )
        return self.read("images/captions.json")

    @property
    def metrics(self) -> list[dict]:
        """One dict an epoch; a half-written last line is left out."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1] if line]

    def require_command(self, command: str) -> None:
        """Refuses a run of another command."""
        if self.command != command:
            raise UserError(
                f"{self.path} is a run of {self.command}, not of {command}."
            )

    def require_same_settings(self, settings: Settings) -> None:
        """Refuses settings that the run was not started with, naming each."""
        lines = differences(self.settings, settings, RESUMABLE)
        if lines:
            raise UserError(
                f"{self.path} was started with other settings; it goes on with the"
                " same.\n" + "\n".join(lines)
            )

    def write_options(self, command: str, settings: Settings, chosen=None) -> None:
        """Writes what the run was asked for.

        Args:
            command: the command that trains.
            settings: as they were given; `--resume` compares them.
            chosen: `{"section.key": value}` of those that settings leave open, once
                the data have decided them.
        """
        options = {
            "command": command,
            "settings": settings.model_dump(),
            "chosen": chosen or {},
            "versions": _versions(),
            "git_commit": _git_commit(),
        }
        write_json(self.path / "options.json", options)

    def write_data(self, info: dict) -> None:
        """Writes what was read.

        Raises:
            UserError: when the run was started with other images.
        """
        path = self.path / "data.json"
        if path.is_file():
            for side in ("train_ids", "test_ids"):
                if self.data[side] != info[side]:
                    raise UserError(
                        f"{self.path} was started with other images: {side} in its"
                        f" data.json and in {info.get('source') or info['dataset']}"
                        " differ. The source was changed, or is another."
                    )
        write_json(path, info)

    def save_network(self, name: str, network) -> None:
        """Writes a Keras model into `models/`, whole or not at all."""
        scratch = self.models / f"{name}.partial.keras"
        network.save(scratch)
        os.replace(scratch, self.models / f"{name}.keras")

    def load_network(self, name: str):
        """Reads what `save_network` wrote.

        Raises:
            UserError: when it is not there or damaged, or another version of kerasgan
                wrote it.
        """
        import keras

        path = self.models / f"{name}.keras"
        if not path.is_file():
            raise UserError(f"{path} is not there: the run has not finished it.")
        try:
            return keras.saving.load_model(path, compile=False)
        except (KeyError, OSError, TypeError, ValueError, BadZipFile) as error:
            reason = str(error).strip().partition("\n")[0]
            raise UserError(
                f"{path} is damaged, or was written by another version of kerasgan"
                f" (options.json has it). It needs that one, or training anew: {reason}"
            ) from error

    def append_metrics(self, line: dict) -> None:
        with open(self.path / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def truncate_metrics(self, epochs: int) -> None:
        """Drops the lines of epochs after `epochs`, which will be trained again."""
        kept = [line for line in self.metrics if line["epoch"] <= epochs]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        write_text(self.path / "metrics.jsonl", text)

    def read(self, name: str):
        """The content of one of its JSON files."""
        path = self.path / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UserError(
                f"{self.path} is no run directory: it holds no {name}."
            ) from None
        except ValueError as error:
            raise UserError(f"{path} is damaged: {error}") from None


def new_run(command: str, settings: Settings, run_dir=None, root="runs") -> Run:
    """Makes a run directory, `run_dir` or the next number under `root`, that holds
    the settings and nothing else yet.

    Raises:
        UserError: when `run_dir` is there already and not empty.
    """
    if run_dir is not None:
        path = Path(run_dir).expanduser().absolute()
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UserError(
                f"{path} is there already. Continue it with --resume, or name another"
                " directory."
            )
        path.mkdir(parents=True, exist_ok=True)
    else:
        root = Path(root).absolute()
        path = _next_number(root, f"{command}-{settings.data.dataset}")
    run = Run(path)
    run.write_options(command, settings)
    for part in FOLDERS:
        (path / part).mkdir(exist_ok=True)
    return run


def run_for(command: str, settings: Settings | None, run: Run | None):
    """What a training is to do, and where.

    Args:
        settings: None: the run's, or the defaults.
        run: None: a new one.

    Returns:
        `(settings, run)`.

    Raises:
        UserError: the run was started with other settings.
    """
    run = run or new_run(command, settings or Settings())
    settings = settings or run.settings
    run.require_same_settings(settings)
    return settings, run


def open_run(path, data_dir=None) -> Run:
    """Opens an existing run directory.

    Raises:
        UserError: when there is none.
    """
    path = Path(path).expanduser().absolute()
    if not (path / "options.json").is_file():
        raise UserError(f"There is no run at {path}: no options.json in it.")
    return Run(path, data_dir)


def latest_run(command: str, root="runs") -> Run:
    """The run of `command` with the highest number under `root`."""
    root = Path(root).absolute()
    runs = [
        path
        for path in _numbered(root)
        if f"-{command}-" in path.name and (path / "options.json").is_file()
    ]
    if not runs:
        raise UserError(f"There is no run of {command} under {root} to resume.")
    return open_run(runs[-1])


def _numbered(root: Path) -> list[Path]:
    paths = root.glob("[0-9]*-*") if root.is_dir() else ()
    return sorted(
        (path for path in paths if path.name.split("-")[0].isdigit()),
        key=lambda path: int(path.name.split("-")[0]),
    )


def _next_number(root: Path, name: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    while True:
        taken = _numbered(root)
        number = int(taken[-1].name.split("-")[0]) + 1 if taken else 0
        path = root / f"{number:05d}-{name}"
        try:
            path.mkdir()
            return path
        except FileExistsError:  # another process was quicker
            continue


def _versions() -> dict:
    versions = {"python": platform.python_version()}
    for package in ("kerasgan", "tensorflow", "keras", "tensorflow-datasets", "numpy"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions


def _git_commit() -> str | None:
    """The commit of the package's own clone, where it runs from one."""
    here = Path(__file__).resolve().parent
    if not (here.parent / ".git").exists():
        return None
    git = ["git", "-C", str(here), "rev-parse", "HEAD"]
    try:
        return (
            subprocess.run(git, capture_output=True, text=True).stdout.strip() or None
        )
    except OSError:
        return None
