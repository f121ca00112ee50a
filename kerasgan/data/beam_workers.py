"""Prepares data sets with Apache Beam, in other processes or on other machines.

All processes see the source and the directory of prepared data under the same paths.
What they exchange are files there, so that the pipelines themselves stay small.
"""

import contextlib
import functools
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from kerasgan.config.settings import DataConfig
from kerasgan.data.dataset_spec import DatasetSpec
from kerasgan.data.images import BadImage
from kerasgan.data.preparation import Outcome, PreparedImage, store_images
from kerasgan.data.shard_writing import Shard, write_shard
from kerasgan.errors import UserError

CHUNK_SIZE = 512  # images that are prepared together


@dataclass(frozen=True)
class Chunk:
    """Neighboring images that a process prepares.

    Attributes:
        config: JSON of the settings of the data set.
        config_name: `DatasetSpec.config_name`, by which a process finds that it reads
            the same files.
        start: position of the first image in the data set.
        stop: position after the last one.
        path: of the scratch file; its outcomes are stored beside it as JSON.
    """

    config: str
    config_name: str
    start: int
    stop: int
    path: str


class BeamWorkers:
    """Prepares images and writes files in Apache Beam pipelines.

    Args:
        runner: a Beam runner or its name, or None for the one of the options.
        options: Beam's `PipelineOptions`, or None.

    Raises:
        UserError: If Apache Beam is not installed.
    """

    def __init__(self, runner: Any = None, options: Any = None):
        self._beam = import_beam()
        # Without options, Beam would read those of this program.
        self._options = options or pipeline_options("")
        self._runner = runner

    def store_images(self, spec: DatasetSpec, folder: Path) -> Iterator[Outcome]:
        """Loads all images of a data set and stores them in scratch files.

        Args:
            spec: the data set.
            folder: of the scratch files.

        Yields:
            An `Outcome` for each image, in order.
        """
        config, total = spec.config.model_dump_json(), len(spec.images.ids)
        chunks = [
            Chunk(
                config,
                spec.config_name,
                start,
                min(start + CHUNK_SIZE, total),
                str(folder / f"images-{start}"),
            )
            for start in range(0, total, CHUNK_SIZE)
        ]
        self._run("Prepare images", store_chunk, chunks)
        for chunk in chunks:
            yield from _read_outcomes(chunk)

    def write_shards(self, shards: list[Shard], folder: Path) -> None:
        """Writes the files of all splits.

        Args:
            shards: the files.
            folder: of scratch files.
        """
        paths = [str(folder / f"shard-{index}.json") for index in range(len(shards))]
        for path, shard in zip(paths, shards, strict=True):
            Path(path).write_text(json.dumps(asdict(shard)), encoding="utf-8")
        self._run("Write files", write_stored_shard, paths)

    def _run(self, label: str, function: Callable, items: list) -> None:
        try:
            with self._beam.Pipeline(self._runner, self._options) as pipeline:
                items = pipeline | self._beam.Create(items) | self._beam.Reshuffle()
                _ = items | label >> self._beam.Map(function)
        except RuntimeError as error:  # with the traceback of another process
            raise RuntimeError(str(error).strip().rpartition("\n")[2]) from error


def import_beam() -> Any:
    """Returns the module `apache_beam`.

    Raises:
        UserError: If it is not installed.
    """
    try:
        logging.disable(logging.WARNING)  # about clouds that are not used
        import apache_beam
    except ImportError as error:
        raise UserError(
            "Preparing data with Apache Beam needs the package apache-beam: "
            "pip install 'kerasgan[beam]'"
        ) from error
    finally:
        logging.disable(logging.NOTSET)
    return apache_beam


def pipeline_options(text: str) -> Any:
    """Reads options of Apache Beam, as TFDS's command line does.

    Args:
        text: such as "runner=FlinkRunner,flink_master=host:8081", or empty.

    Returns:
        Beam's `PipelineOptions`.

    Raises:
        UserError: If an option or the runner is invalid, or Beam is not installed.
    """
    beam, messages = import_beam(), io.StringIO()
    try:
        options = beam.options.pipeline_options.PipelineOptions(
            [f"--{option}" for option in text.split(",") if option]
        )
        with contextlib.redirect_stderr(messages):
            options.get_all_options()
            beam.Pipeline(options=options)  # finds the runner
    except (ImportError, SystemExit, ValueError) as error:
        # argparse prints the reason after all options that there are.
        reason = messages.getvalue().strip().rpartition("error: ")[2] or error
        raise UserError(
            f"Invalid options of Apache Beam: {reason}. Received: {text}"
        ) from error
    return options


@functools.lru_cache(maxsize=1)
def _read_spec(config: str, config_name: str) -> DatasetSpec:
    spec = DatasetSpec.from_config(DataConfig.model_validate_json(config))
    if spec.config_name != config_name:
        raise RuntimeError(
            f"A process of Apache Beam finds other files in {spec.source} than the one"
            " that started it. All must see the same files under this path, and nothing"
            " may change while data are prepared."
        )
    return spec.load_annotations()


def store_chunk(chunk: Chunk) -> None:
    """Loads neighboring images and stores them with their outcomes.

    Args:
        chunk: the images.

    Raises:
        RuntimeError: If the files of the data set are not those of the process that
            started the pipeline.
    """
    spec = _read_spec(chunk.config, chunk.config_name)
    ids = spec.images.ids[chunk.start : chunk.stop]
    path = Path(chunk.path)
    with (
        tfds.core.utils.incomplete_file(tfds.core.Path(path)) as partial,
        open(partial, "wb") as file,
    ):
        rows = [
            str(outcome) if isinstance(outcome, BadImage) else asdict(outcome)
            for _, outcome in store_images(spec, ids, path, file)
        ]
    outcomes = tfds.core.Path(_outcomes_path(chunk))
    with tfds.core.utils.incomplete_file(outcomes) as partial:
        partial.write_text(json.dumps(dict(zip(ids, rows, strict=True))))


def _read_outcomes(chunk: Chunk) -> Iterator[Outcome]:
    for name, row in json.loads(_outcomes_path(chunk).read_bytes()).items():
        yield name, BadImage(row) if isinstance(row, str) else _image(row)


def _outcomes_path(chunk: Chunk) -> Path:
    return Path(f"{chunk.path}.json")


def write_stored_shard(path: str) -> None:
    """Writes a file of a split.

    Args:
        path: of the JSON that describes it, see `BeamWorkers.write_shards`.
    """
    values = json.loads(Path(path).read_bytes())
    images = [_image(row) for row in values.pop("images")]
    write_shard(Shard(images=images, **values))


def _image(row: dict) -> PreparedImage:
    tuples = {name: tuple(row[name]) for name in ("captions", "labels")}
    return PreparedImage(**row | tuples)
