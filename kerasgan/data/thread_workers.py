"""Prepares data sets in the threads of this process."""

from collections.abc import Iterator
from pathlib import Path

from kerasgan.data.dataset_spec import DatasetSpec
from kerasgan.data.preparation import Outcome, store_images
from kerasgan.data.shard_writing import Shard, write_shard
from kerasgan.progress import progress_bar


class ThreadWorkers:
    """Prepares images in threads, and writes one file after another.

    Args:
        progress: whether a progress bar is shown.
    """

    def __init__(self, progress: bool):
        self._progress = progress

    def store_images(self, spec: DatasetSpec, folder: Path) -> Iterator[Outcome]:
        """Loads all images of a data set and stores them in a scratch file.

        Args:
            spec: the data set.
            folder: of the scratch file.

        Yields:
            An `Outcome` for each image, in order.
        """
        title, ids = f"Preparing {spec.config.dataset}", spec.images.ids
        path = folder / "images"
        with (
            progress_bar(title, len(ids), self._progress) as advance,
            open(path, "wb") as file,
        ):
            for outcome in store_images(spec, ids, path, file):
                advance()
                yield outcome

    def write_shards(self, shards: list[Shard], folder: Path) -> None:
        """Writes the files of all splits.

        Args:
            shards: the files.
            folder: of scratch files; not used.
        """
        for shard in shards:
            write_shard(shard)
