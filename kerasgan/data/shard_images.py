"""Images inside the shards of a large data set."""

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
    """COYO's images, as `Files` and `Scenes` are images.

    A prepared data set is found by the shards' names, sizes and times: they are read
    only if it is to be prepared.
    """

    config: DataConfig
    source: Path

    def __post_init__(self):
        paths = {*label_files(self.config.labels)}
        for shard in find_shards(self.source):
            paths |= {shard.path} | ({shard.metadata} - {None})
        self._state = [[str(path), *_state(path)] for path in sorted(paths)]

    @functools.cached_property
    def annotations(self) -> Annotations:
        return read_annotations(self.config, self.source)

    @property
    def label_names(self) -> list[str] | None:
        return self.annotations.label_names

    @property
    def ids(self) -> list[str]:
        return list(self.annotations.images)

    def state(self) -> list:
        """What changes when any of the shards does."""
        return self._state

    def make(self, name: str) -> LoadedImage:
        """Reads, checks and squares one image; BadImage with the reason."""
        image = self.annotations.images[name]
        return load_image(image, image.read(), self.config)


def _state(path: Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns
