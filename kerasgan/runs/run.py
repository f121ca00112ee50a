"""One run directory."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from kerasgan.config.recipes import differences, resolve
from kerasgan.config.settings import Settings
from kerasgan.errors import UserError
from kerasgan.files import write_json, write_text
from kerasgan.runs.environment import compatibility_error, git_commit, package_versions

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
    "data.keep_in_memory",
    "data.service",
}


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
        return self.read("options.json")["command"]

    @property
    def settings(self) -> Settings:
        """The settings that the run was started with."""
        options = self.read("options.json")
        moved: dict[str, object] = {}
        if self.data_dir:
            moved["data.data_dir"] = self.data_dir
        source = str(self.path / "options.json")
        return resolve(options["settings"], moved, source=source)

    @property
    def chosen(self) -> dict:
        """The options that were left open, as data and machine decided them."""
        return self.read("options.json").get("chosen", {})

    @property
    def weights(self) -> dict[str, str]:
        """Digests of the pretrained weights that training uses, by backbone."""
        return self.read("options.json").get("weights", {})

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
        lines = path.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1] if line]

    def require_version(self) -> None:
        """Raises a UserError if another version of kerasgan wrote the run."""
        message = compatibility_error(self.read("options.json").get("versions", {}))
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
            "chosen": self.chosen if exists else {},
            "weights": self.weights if exists else {},
            "versions": package_versions(),
            "git_commit": git_commit(),
        }
        write_json(self.path / "options.json", options)

    def update_options(self, **sections: dict) -> None:
        """Adds values to sections of options.json.

        Args:
            **sections: `chosen`, `{"section.key": value}` of options that data or
                machine decided; `weights`, digests of pretrained weights by backbone.
        """
        options = self.read("options.json")
        for name, values in sections.items():
            options[name] = options.get(name, {}) | values
        write_json(self.path / "options.json", options)

    def write_data(self, info: dict) -> None:
        """Writes data.json.

        Args:
            info: `Pairs.info`.

        Raises:
            UserError: the run was started with other images.
        """
        path = self.path / "data.json"
        if path.is_file():
            for key in ("train_ids", "test_ids"):
                if self.data[key] != info[key]:
                    raise UserError(
                        f"{self.path} was started with other images: {key} in its"
                        f" data.json and in {info.get('source') or info['dataset']}"
                        " differ. Use the original source, or train anew."
                    )
        write_json(path, info)

    def save_network(self, name: str, network: "keras.Model") -> None:
        """Saves a Keras model in `models/`, completely or not at all.

        Args:
            name: of the file, without `.keras`.
            network: the model.
        """
        partial = self.models / f"{name}.partial.keras"
        network.save(partial)
        os.replace(partial, self.models / f"{name}.keras")

    def load_network(self, name: str) -> "keras.Model":
        """Loads a Keras model from `models/`.

        Args:
            name: of the file, without `.keras`.

        Returns:
            The model, not compiled.

        Raises:
            UserError: the file does not exist, or cannot be read.
        """
        import keras

        path = self.models / f"{name}.keras"
        if not path.is_file():
            raise UserError(f"{path} does not exist: its training has not finished.")
        try:
            return keras.saving.load_model(path, compile=False)
        except (KeyError, OSError, TypeError, ValueError, BadZipFile) as error:
            if isinstance(error, UserError):  # such as missing pretrained weights
                raise
            reason = str(error).strip().partition("\n")[0]
            raise UserError(
                f"{path} is damaged, or was written by another version of kerasgan"
                f" (see options.json). Use that version, or train anew: {reason}"
            ) from error

    def truncate_metrics(self, epochs: int) -> None:
        """Removes the metrics of later epochs, which will be trained again.

        Args:
            epochs: number of epochs to keep.
        """
        kept = [line for line in self.metrics if line["epoch"] <= epochs]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        write_text(self.path / "metrics.jsonl", text)

    def read(self, name: str) -> Any:
        """Reads one of the run's JSON files.

        Args:
            name: path of the file in the run directory.

        Returns:
            Its content.

        Raises:
            UserError: the file does not exist or is damaged.
        """
        path = self.path / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UserError(
                f"{self.path} is not a run directory: it has no {name}."
            ) from None
        except ValueError as error:
            raise UserError(f"{path} is damaged: {error}") from None
