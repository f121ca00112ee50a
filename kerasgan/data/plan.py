"""What a data set is made from, and so the directory where it lies prepared."""

import copy
import difflib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from kerasgan.config import DataConfig
from kerasgan.data.layouts import read_annotations
from kerasgan.data.ledger import Ledger
from kerasgan.data.shards import Shards
from kerasgan.data.sources import Files, Scenes
from kerasgan.errors import UserError

DATASETS = ("scenes", "flickr30k", "flickr8k", "table", "coyo")
VERSION = "1.0.0"  # raise it whenever the same input gives other data
DATA_JSON = "data.json"


@dataclass
class Plan:
    """A data set that is prepared, or can be.

    Attributes:
        source: the directory or file that is read, absolute, or None (drawn).
        pictures: what makes the pictures.
        config_name: of the TFDS builder config: it is different if anything that
            the prepared data depend on is.
        data_dir: root of the prepared data sets.
    """

    config: DataConfig
    source: Path | None
    pictures: Files | Shards | Scenes
    config_name: str
    data_dir: Path

    @classmethod
    def of(cls, config: DataConfig) -> "Plan":
        """Reads the annotations and looks at every picture's file status.

        Raises:
            UserError: no such data set, or nothing to read it from.
        """
        check_dataset(config)
        data_dir = data_dir_of(config)
        if config.dataset == "scenes":
            source, pictures = None, Scenes(config)
        elif config.dataset == "coyo":
            source = source_of(config)
            pictures = Shards(config, source)
        else:
            source = source_of(config)
            pictures = Files(read_annotations(config, source), config)
        name = f"{config.image_size}px-{_fingerprint(config, source, pictures)}"
        return cls(config, source, pictures, name, data_dir)

    def read(self) -> "Plan":
        """This plan, once all is read that `of` left for later, or UserError."""
        _ = self.pictures.annotations
        return self

    @property
    def label_names(self) -> list[str] | None:
        """Class names in the order of their numbers, or None."""
        return self.pictures.label_names

    def ledger(self) -> Ledger:
        """A ledger for one pass over the pictures, that knows the annotations'."""
        if self.pictures.annotations is None:
            return Ledger()
        return copy.deepcopy(self.pictures.annotations.ledger)

    @property
    def path(self) -> Path:
        """Where TFDS puts the prepared data set."""
        return self.data_dir / self.config.dataset / self.config_name / VERSION

    @property
    def is_prepared(self) -> bool:
        # TFDS renames the directory into place only when it is whole.
        return (self.path / "dataset_info.json").is_file() and (
            self.path / DATA_JSON
        ).is_file()


def check_dataset(config: DataConfig) -> None:
    """UserError for a data set that does not exist, or reads no source but has one."""
    name = config.dataset
    if name not in DATASETS:
        near = difflib.get_close_matches(name, DATASETS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(f"No data set {name!r}; there are {', '.join(DATASETS)}.{hint}")
    if name == "scenes" and config.source is not None:
        raise UserError(
            f"The data set scenes is drawn and reads no --source {config.source}. Say"
            f" what that holds: --dataset {'|'.join(DATASETS[1:])}"
        )


def dataset_config(name: str, data_dir, settings: dict) -> DataConfig:
    """The settings of one data set; UserError names each that is wrong."""
    data_dir = os.fspath(data_dir) if data_dir else None
    try:
        return DataConfig(dataset=name, data_dir=data_dir, **settings)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'][:1]))}: {e['msg']}, got {e['input']!r}"
            for e in error.errors()
        )
        raise UserError(f"Data set {name}: {problems}") from error


def data_dir_of(config: DataConfig) -> Path:
    """The root of prepared data sets: TFDS's, unless the settings name one."""
    default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    return Path(config.data_dir or default).expanduser().absolute()


def source_of(config: DataConfig) -> Path:
    """The absolute path that is read: `source`, or TFDS's manual directory."""
    if config.source is not None:
        return Path(config.source).expanduser().resolve()
    manual = data_dir_of(config) / "downloads" / "manual" / config.dataset
    if config.dataset == "table" or not manual.exists():
        raise UserError(
            f"The data set {config.dataset} cannot be downloaded: give --source PATH"
            + (f", or put it into {manual}" if config.dataset != "table" else "")
        )
    return manual.resolve()


def _fingerprint(config: DataConfig, source, pictures) -> str:
    settings = config.model_dump(exclude={"data_dir", "source"})
    digest = hashlib.sha256(json.dumps([VERSION, settings, str(source)]).encode())
    if isinstance(pictures, Files):
        digest.update(str(pictures.annotations.image_root).encode())
        for file in pictures.annotations.files:
            digest.update(str(file).encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    digest.update(json.dumps(pictures.state()).encode())
    return digest.hexdigest()[:20]
