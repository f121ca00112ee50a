"""Determines what a data set is made from, and the directory where it is prepared."""

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
from kerasgan.data.layouts.embedded_images import find_embedded
from kerasgan.data.read_report import ReadReport
from kerasgan.data.shard_images import ShardImages
from kerasgan.errors import UserError

DATASETS = (
    *("scenes", "flickr30k", "flickr8k", "table", "folder", "coco", "webdataset"),
    "coyo",
)
ONLY_GIVEN = ("table", "folder", "webdataset")  # not in TFDS's manual directory
VERSION = "1.1.0"  # to be raised whenever the same input gives other data
DATA_JSON = "data.json"


@dataclass
class DatasetSpec:
    """A data set that is prepared or can be.

    Attributes:
        config: settings of the data set.
        source: absolute path of the directory or file that is read; None if the
            images are drawn.
        images: where the images come from.
        config_name: name of the TFDS builder config. It contains a fingerprint of
            everything that the prepared data depend on.
        data_dir: root of the prepared data sets.
    """

    config: DataConfig
    source: Path | None
    images: FileImages | ShardImages | DrawnScenes
    config_name: str
    data_dir: Path

    @classmethod
    def from_config(cls, config: DataConfig) -> "DatasetSpec":
        """Reads the annotations and the file status of every image.

        The shards of `coyo` and others are not read, see `load_annotations`.

        Args:
            config: settings of the data set.

        Returns:
            A `DatasetSpec`.

        Raises:
            UserError: If the data set is unknown or its source cannot be read.
        """
        check_dataset(config)
        data_dir = resolve_data_dir(config)
        if config.dataset == "scenes":
            source, images = None, DrawnScenes(config)
        else:
            source = resolve_source(config)
            if _in_shards(config, source):
                images = ShardImages(config, source)
            else:
                images = FileImages(read_annotations(config, source), config)
        name = f"{config.image_size}px-{_fingerprint(config, source, images)}"
        return cls(config, source, images, name, data_dir)

    def load_annotations(self) -> "DatasetSpec":
        """Reads what `from_config` has not read yet.

        Returns:
            The object itself.

        Raises:
            UserError: If the annotations cannot be read.
        """
        _ = self.images.annotations
        return self

    @property
    def label_names(self) -> list[str] | None:
        """Class names in the order of their numbers, or None."""
        return self.images.label_names

    def new_report(self) -> ReadReport:
        """Returns a report for one pass over the images.

        It begins with the counts of the annotations.
        """
        if self.images.annotations is None:
            return ReadReport()
        return copy.deepcopy(self.images.annotations.report)

    @property
    def path(self) -> Path:
        """The directory where TFDS writes the prepared data set."""
        return self.data_dir / self.config.dataset / self.config_name / VERSION

    @property
    def is_prepared(self) -> bool:
        """Whether the prepared data set exists and is complete."""
        # TFDS renames the directory to its final name only when it is complete.
        return (self.path / "dataset_info.json").is_file() and (
            self.path / DATA_JSON
        ).is_file()


def _in_shards(config: DataConfig, source: Path) -> bool:
    """Returns whether the images are in tar or Parquet files."""
    if config.dataset == "table":
        return bool(find_embedded(config, source))
    return config.dataset in ("coyo", "webdataset")


def check_dataset(config: DataConfig) -> None:
    """Checks the name of a data set and that it needs a source if one is given.

    Args:
        config: settings of the data set.

    Raises:
        UserError: If the data set is unknown, or is drawn and has a source.
    """
    name = config.dataset
    if name not in DATASETS:
        matches = difflib.get_close_matches(name, DATASETS, n=1)
        hint = f" Did you mean {matches[0]!r}?" if matches else ""
        raise UserError(
            f"Unknown data set {name!r}. Available: {', '.join(DATASETS)}.{hint}"
        )
    if name == "scenes" and config.source is not None:
        raise UserError(
            "The data set scenes is drawn and has no source. Received: --source "
            f"{config.source}. Name the data set that the source contains with "
            f"--dataset {'|'.join(DATASETS[1:])}."
        )


def dataset_config(
    name: str, data_dir: str | os.PathLike | None, settings: dict
) -> DataConfig:
    """Creates the settings of one data set.

    Args:
        name: name of the data set.
        data_dir: root of the prepared data sets, a path or None.
        settings: other attributes of `DataConfig`.

    Returns:
        A `DataConfig`.

    Raises:
        UserError: If settings are unknown or have invalid values. All are named.
    """
    data_dir = os.fspath(data_dir) if data_dir else None
    try:
        return DataConfig(dataset=name, data_dir=data_dir, **settings)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'][:1]))}: {e['msg']}. Received: {e['input']!r}"
            for e in error.errors()
        )
        raise UserError(f"Invalid settings of the data set {name}: {problems}") from (
            error
        )


def resolve_data_dir(config: DataConfig) -> Path:
    """Returns the root of prepared data sets; by default the one of TFDS."""
    default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    return Path(config.data_dir or default).expanduser().absolute()


def resolve_source(config: DataConfig) -> Path:
    """Returns the absolute path of the source; by default TFDS's manual directory.

    Raises:
        UserError: If the settings have no source and there is no manual directory.
    """
    if config.source is not None:
        return Path(config.source).expanduser().resolve()
    manual_dir = resolve_data_dir(config) / "downloads" / "manual" / config.dataset
    is_given = config.dataset in ONLY_GIVEN
    if is_given or not manual_dir.exists():
        option = "" if is_given else f", or put it into {manual_dir}"
        raise UserError(
            f"The data set {config.dataset} cannot be downloaded: give --source PATH"
            f"{option}."
        )
    return manual_dir.resolve()


def _fingerprint(
    config: DataConfig,
    source: Path | None,
    images: FileImages | ShardImages | DrawnScenes,
) -> str:
    settings = config.model_dump(
        exclude={"data_dir", "source", "keep_in_memory", "service"}
    )
    digest = hashlib.sha256(json.dumps([VERSION, settings, str(source)]).encode())
    if isinstance(images, FileImages):
        digest.update(str(images.annotations.image_root).encode())
        for file in images.annotations.files:
            digest.update(str(file).encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    digest.update(json.dumps(images.state()).encode())
    return digest.hexdigest()[:20]
