"""Writes prepared images into the files of a split with TFDS."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from tensorflow_datasets.core.example_serializer import ExampleSerializer
from tensorflow_datasets.core.file_adapters import FileFormat
from tensorflow_datasets.core.naming import ShardedFileTemplate
from tensorflow_datasets.core.splits import SplitInfo
from tensorflow_datasets.core.utils.shard_utils import (
    ShardConfig,
    get_shard_boundaries,
)
from tensorflow_datasets.core.writer import ExampleWriter

from kerasgan.data.features import pair_features
from kerasgan.data.preparation import PreparedImage, read_images


@dataclass(frozen=True)
class Shard:
    """A file of a split, and the images that it will hold.

    Attributes:
        path: path of the file.
        file_format: name of a TFDS file format, such as "tfrecord".
        image_size: width and height of the images in pixels, or None if it varies.
        label_names: class names in the order of their numbers, or None.
        multi_label: see `pair_features`.
        images: the images, in order.
    """

    path: str
    file_format: str
    image_size: int | None
    label_names: list[str] | None
    multi_label: bool
    images: list[PreparedImage]


def plan_shards(
    images: list[PreparedImage],
    template: ShardedFileTemplate,
    config: ShardConfig,
    image_size: int | None,
    label_names: list[str] | None,
    multi_label: bool,
) -> list[Shard]:
    """Divides the images of a split into files, as TFDS divides records.

    Args:
        images: the images, in order.
        template: TFDS's names of the files.
        config: TFDS's sizes of the files.
        image_size: see `Shard`.
        label_names: see `Shard`.
        multi_label: see `pair_features`.

    Returns:
        The files, in order. Their number depends on the bytes of the images alone.
    """
    count = config.get_number_shards(sum(image.length for image in images), len(images))
    ends = get_shard_boundaries(len(images), count)
    return [
        Shard(
            str(template.sharded_filepath(shard_index=index, num_shards=count)),
            template.filetype_suffix,
            image_size,
            label_names,
            multi_label,
            images[start:end],
        )
        for index, (start, end) in enumerate(zip([0, *ends], ends, strict=False))
    ]


def write_shard(shard: Shard) -> None:
    """Writes a file, completely or not at all.

    Args:
        shard: the file.
    """
    writer = ExampleWriter(FileFormat.from_value(shard.file_format))
    with tfds.core.utils.incomplete_file(tfds.core.Path(shard.path)) as path:
        writer.write(path, enumerate(_records(shard)))


def _records(shard: Shard) -> Iterator[bytes]:
    features = pair_features(shard.image_size, shard.label_names, shard.multi_label)
    serializer = ExampleSerializer(features.get_serialized_info())
    for example in _examples(shard):
        record = serializer.get_tf_example(features.encode_example(example))
        # Otherwise the order of the features is another one in every process.
        yield record.SerializeToString(deterministic=True)


def _examples(shard: Shard) -> Iterator[dict[str, Any]]:
    for image, data in read_images(shard.images):
        example = {
            "image_id": image.id,
            "image": io.BytesIO(data),
            "captions": list(image.captions),
        }
        if shard.label_names and shard.multi_label:
            example["labels"] = list(image.labels)
        elif shard.label_names:
            (example["label"],) = image.labels
        yield example


def split_info(shards: list[Shard], template: ShardedFileTemplate) -> SplitInfo:
    """Describes a split that has been written.

    Args:
        shards: its files.
        template: TFDS's names of the files.
    """
    return SplitInfo(
        name=template.split,
        shard_lengths=[len(shard.images) for shard in shards],
        num_bytes=sum(Path(shard.path).stat().st_size for shard in shards),
        filename_template=template,
    )
