"""What a data set is made from, and so the directory where it lies prepared."""

import copy
import difflib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from kerasgan.config.settings import DataConfig
from kerasgan.data.image_sources import DrawnScenes, FileImages
from kerasgan.data.layouts import read_annotations
from kerasgan.data.read_report import ReadReport
from kerasgan.data.shard_images import ShardImages
from kerasgan.errors import UserError

DATASETS = ("scenes", "flickr30k", "flickr8k", "table", "coyo")
VERSION = "1.0.0"  # raise it whenever the same input gives other data
DATA_JSON = "data.json"


@dataclass
class DatasetSpec:
    """A data set that is prepared, or can be.

    Attributes:
        source: the directory or file that is read, absolute, or None (drawn).
        images: what makes the images.
        config_name: of the TFDS builder config: it is different if anything that
            the prepared data depend on is.
        data_dir: root of the prepared data sets.
    """

    config: DataConfig
    source: Path | None
    images: FileImages | ShardImages | DrawnScenes
    config_name: str
    data_dir: Path

    @classmethod
    def of(cls, config: DataConfig) -> "DatasetSpec":
        """Reads the annotations and looks at every image's file status.

        Raises:
            UserError: no such data set, or nothing to read it from.
        """
        check_dataset(config)
        data_dir = data_dir_of(config)
        if config.dataset == "scenes":
            source, images = None, DrawnScenes(config)
        elif config.dataset == "coyo":
            source = source_of(config)
            images = ShardImages(config, source)
        else:
            source = source_of(config)
            images = FileImages(read_annotations(config, source), config)
        name = f"{config.image_size}px-{_fingerprint(config, source, images)}"
        return cls(config, source, images, name, data_dir)

    def read(self) -> "DatasetSpec":
        """This plan, once all is read that `of` left for later, or UserError."""
        _ = self.images.annotations
        return self

    @property
    def label_names(self) -> list[str] | None:
        """Class names in the order of their numbers, or None."""
        return self.images.label_names

    def ledger(self) -> ReadReport:
        """A ledger for one pass over the images, that knows the annotations'."""
        if self.images.annotations is None:
            return ReadReport()
        return copy.deepcopy(self.images.annotations.ledger)

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


def _fingerprint(config: DataConfig, source, images) -> str:
    settings = config.model_dump(exclude={"data_dir", "source"})
    digest = hashlib.sha256(json.dumps([VERSION, settings, str(source)]).encode())
    if isinstance(images, FileImages):
        digest.update(str(images.annotations.image_root).encode())
        for file in images.annotations.files:
            digest.update(str(file).encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    digest.update(json.dumps(images.state()).encode())
    return digest.hexdigest()[:20]
