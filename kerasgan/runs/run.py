"""One run directory."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasgan import files
from kerasgan.config.recipes import differences, resolve
from kerasgan.config.settings import Settings
from kerasgan.errors import UserError
from kerasgan.files import read_json_lines, write_json, write_text
from kerasgan.runs.environment import compatibility_error, git_commit, package_versions
from kerasgan.runs.model_files import file_digest, load_network, partial_networks
from kerasgan.runs.run_data import require_same_data
from kerasgan.runs.run_lock import lock_run

if TYPE_CHECKING:
    import keras

# Settings that may change when a run is resumed.
RESUMABLE = {
    "training.stage",
    "training.epochs",
    "training.minutes",
    "training.grid",
    "training.grid_every",
    "training.device",
    "training.strategy",
    "data.data_dir",
    "data.source",  # of the same content, see `require_same_data`
    "data.image_root",
    "data.labels",
    "data.keep_in_memory",
    "data.service",
}
KEPT = ("chosen", "weights", "files")  # sections that `update_options` adds to


@dataclass(frozen=True)
class Run:
    """One run directory.

    Attributes:
        path: of the directory, absolute.
        data_dir: where its prepared data set is now, if it was moved.
    """

    path: Path
    data_dir: str | None = None

    @property
    def images(self) -> Path:
        """The directory of image grids."""
        return self.path / "images"

    @property
    def checkpoints(self) -> Path:
        """The directory of checkpoints."""
        return self.path / "checkpoints"

    @property
    def models(self) -> Path:
        """The directory of trained models and vocabularies."""
        return self.path / "models"

    @property
    def results(self) -> Path:
        """The directory of evaluations."""
        return self.path / "results"

    @property
    def tensorboard(self) -> Path:
        """The directory of TensorBoard logs."""
        return self.path / "tensorboard"

    @property
    def command(self) -> str:
        """The command that trains."""
        return self._options("command", str)

    @property
    def settings(self) -> Settings:
        """The settings that the run was started with."""
        settings = self._options("settings", dict)
        moved: dict[str, object] = {}
        if self.data_dir:
            moved["data.data_dir"] = self.data_dir
        source = str(self.path / "options.json")
        return resolve(settings, moved, source=source)

    @property
    def chosen(self) -> dict:
        """The options that were left open, as data and machine decided them."""
        return self._options("chosen", dict, {})

    @property
    def weights(self) -> dict[str, str]:
        """Digests of the pretrained weights that training uses, by backbone."""
        return self._options("weights", dict, {})

    @property
    def resolved_settings(self) -> Settings:
        """The settings with the values of `chosen`."""
        return resolve(None, self.chosen, base=self.settings)

    @property
    def data(self) -> dict:
        """What was read and how it was split."""
        return self.read("data.json")

    @property
    def captions(self) -> list[str]:
        """The captions that the run's image grids show, one for each row."""
        path = self.images / "captions.json"
        if not path.is_file():
            raise UserError(
                f"{path} does not exist: the run has not trained yet, or without"
                " captions."
            )
        return self.read("images/captions.json")

    @property
    def metrics(self) -> list[dict]:
        """One dict for each epoch; an incomplete last line is ignored."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return []
        lines = read_json_lines(path)
        if all(isinstance(line.get("epoch"), int) for line in lines):
            return lines
        raise UserError(f"{path} is damaged: a line has no epoch")

    def _options(self, key, kind, default=None):
        """A section of options.json, which may be missing if there is a default."""
        options = self.read("options.json", {})
        if isinstance(value := options.get(key, default), kind):
            return value
        raise UserError(f"{self.path}/options.json is damaged: no {key!r}")

    def lock(self) -> AbstractContextManager[None]:
        """Returns a context in which nobody else may train this run.

        Raises:
            UserError: another process or thread trains it.
        """
        return lock_run(self.path)

    def require_version(self) -> None:
        """Raises a UserError if another version of kerasgan wrote the run."""
        message = compatibility_error(self._options("versions", dict, {}))
        if message:
            raise UserError(f"{self.path} {message}")

    def require_command(self, command: str) -> None:
        """Raises a UserError if the run is of another command.

        Args:
            command: the expected command.
        """
        if self.command != command:
            raise UserError(
                f"{self.path} is a run of {self.command}, not of {command}."
            )

    def require_same_settings(self, settings: Settings) -> None:
        """Raises a UserError that names each setting with another value in the run.

        Args:
            settings: the expected settings.
        """
        lines = differences(self.settings, settings, RESUMABLE)
        if lines:
            raise UserError(
                f"{self.path} was started with other settings, which cannot be changed"
                " when it is resumed.\n" + "\n".join(lines)
            )

    def write_options(self, command: str, settings: Settings) -> None:
        """Writes options.json, and keeps what `update_options` added.

        Args:
            command: the command that trains.
            settings: as they were given; `--resume` compares them.
        """
        exists = (self.path / "options.json").is_file()
        options = {
            "command": command,
            "settings": settings.model_dump(),
            **{name: self._options(name, dict, {}) if exists else {} for name in KEPT},
            "versions": package_versions(),
            "git_commit": git_commit(),
        }
        write_json(self.path / "options.json", options, checksum=True)

    def update_options(self, **sections: dict) -> None:
        """Adds values to sections of options.json.

        Args:
            **sections: `chosen`, `{"section.key": value}` of options that data or
                machine decided; `weights`, digests of pretrained weights by backbone;
                `files`, see `check_file`.
        """
        options = self.read("options.json")
        for name, values in sections.items():
            options[name] = self._options(name, dict, {}) | values
        write_json(self.path / "options.json", options, checksum=True)

    def write_data(self, info: dict) -> None:
        """Writes data.json.

        Args:
            info: `Pairs.info`.

        Raises:
            UserError: the run was started with other images.
        """
        require_same_data(self, info)
        write_json(self.path / "data.json", info, checksum=True)

    def save_networks(self, networks: Mapping[str, "keras.Model"]) -> None:
        """Saves Keras models in `models/`, each completely or not at all.

        Their digests are stored first, so that `check_file` finds the old ones that a
        killed process leaves beside new ones.

        Args:
            networks: by the name of the file, without `.keras`.
        """
        with partial_networks(self.models, networks) as partials:
            digests = {
                f"models/{path.name}": file_digest(partial)
                for path, partial in partials.items()
            }
            self.update_options(files=digests)

    def load_network(self, name: str) -> "keras.Model":
        """Loads a Keras model from `models/`.

        Args:
            name: of the file, without `.keras`.

        Returns:
            The model, not compiled.

        Raises:
            UserError: the file does not exist, or cannot be read.
        """
        return load_network(self.models / f"{name}.keras")

    def check_file(self, name: str, record: bool = False) -> None:
        """Checks that a file is the one that training wrote last.

        Args:
            name: path of the file in the run directory.
            record: whether its digest is stored, where there is none yet.

        Raises:
            UserError: it has changed.
        """
        digest = file_digest(self.path / name)
        if self._options("files", dict, {}).get(name, digest) != digest:
            message = "is damaged: training wrote another one. Put it back, go on with"
            raise UserError(f"{self.path / name} {message} --resume, or train anew.")
        if record:
            self.update_options(files={name: digest})

    def truncate_metrics(self, epochs: int) -> None:
        """Removes the metrics of later epochs, which will be trained again.

        Args:
            epochs: number of epochs to keep.
        """
        kept = [line for line in self.metrics if line["epoch"] <= epochs]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        write_text(self.path / "metrics.jsonl", text)

    def read(self, name: str, keys: Mapping[str, Any] | None = None) -> Any:
        """Reads one of the run's JSON files.

        Args:
            name: path of the file in the run directory.
            keys: see `read_json`.

        Returns:
            Its content.

        Raises:
            UserError: the file does not exist or is damaged.
        """
        try:
            return files.read_json(self.path / name, keys)
        except FileNotFoundError:
            raise UserError(
                f"{self.path} is not a run directory: it has no {name}."
            ) from None
