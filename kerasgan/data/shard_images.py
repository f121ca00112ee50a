"""Images inside the shards of a data set."""

import functools
import os
from dataclasses import dataclass
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations
from kerasgan.data.image_sources import LoadedImage, load_image
from kerasgan.data.layouts import read_annotations
from kerasgan.data.layouts.img2dataset import find_shards
from kerasgan.data.layouts.labels import label_files


@dataclass
class ShardImages:
    """Images in tar and Parquet files; a source of images like `FileImages`.

    A prepared data set is identified by names, sizes and times of the shards. These
    are read only if the data set has to be prepared.

    Attributes:
        config: settings of the data set.
        source: the folder of the shards.
    """

    config: DataConfig
    source: Path

    def __post_init__(self):
        paths = {*label_files(self.config.labels)}
        for shard in find_shards(self.source):
            paths |= {shard.path} | ({shard.metadata} - {None})
        self._state = [[str(path), *_file_state(path)] for path in sorted(paths)]

    @functools.cached_property
    def annotations(self) -> Annotations:
        """The annotations; the first access reads the shards."""
        return read_annotations(self.config, self.source)

    @property
    def label_names(self) -> list[str] | None:
        """Class names in the order of their numbers, or None."""
        return self.annotations.label_names

    @property
    def ids(self) -> list[str]:
        """Ids of the images, in the order of the shards."""
        return list(self.annotations.images)

    def state(self) -> list:
        """Returns a JSON value that changes if any of the shards changes."""
        return self._state

    def load(self, name: str) -> LoadedImage:
        """Reads, checks and squares one image.

        Args:
            name: id of the image.

        Returns:
            A `LoadedImage`.

        Raises:
            BadImage: If the image cannot be used. The message is the reason.
        """
        annotation = self.annotations.images[name]
        return load_image(annotation, annotation.read(), self.config)


def _file_state(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns
