"""Reads and decodes batches of images in the workers of tf.data service."""

import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from kerasgan.data.stored_arrays import StoredImages, choose_captions
from kerasgan.errors import JobError, UserError

MAX_WAITING = 256  # batches that have come before an earlier one
TIMEOUT = 10  # seconds
Batch = dict[str, np.ndarray]


def require_service(address: str) -> None:
    """Raises an error if there is no dispatcher; TensorFlow would wait for one.

    Args:
        address: such as "grpc://host:5050".

    Raises:
        UserError: If nothing listens there.
    """
    host, _, port = address.removeprefix("grpc://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), TIMEOUT).close()
    except OSError as error:
        raise UserError(
            f"No dispatcher of tf.data service answers: {error}. Start one as"
            f" docs/scaling.md describes. Received: data.service={address}"
        ) from error


def served_batches(
    address: str,
    images: StoredImages,
    rows: np.ndarray,
    caption_numbers: np.ndarray,
) -> Iterator[Batch]:
    """Yields batches that the workers of a service read and decode.

    Each batch is decoded by one worker, and each worker takes the next one when it is
    ready. The batches come in the order of `rows` all the same.

    Args:
        address: of the dispatcher, such as "grpc://host:5050".
        images: of a prepared split, under a path that is the same on all machines.
        rows: of each batch, int `(batches, n)`.
        caption_numbers: for each of these images the number of a caption, int of the
            same shape.

    Yields:
        `image`, uint8 `(n, size, size, channels)`, and `caption`, bytes `(n,)`.

    Raises:
        JobError: If the service loses a batch.
    """
    service = tf.data.experimental.service
    with tf.device("/cpu:0"):
        dataset = _dataset(images, rows, caption_numbers).apply(
            service.distribute(service.ShardingPolicy.DYNAMIC, address)
        )
    for batch in _in_order(dataset.as_numpy_iterator(), len(rows)):
        if images.convert:
            batch["image"] = images.convert(batch["image"])
        yield batch


def _dataset(images, rows, caption_numbers):
    """The batches with their numbers; only TensorFlow's operations run in a worker."""
    shards, offsets = images.shards.places(rows)
    paths = tf.constant([str(path) for path in images.shards.paths])
    rgb = StoredImages(images.shards, images.shape[1])

    def load(number, shards, offsets, caption_numbers):
        records = tf.map_fn(
            lambda place: _read_record(*place),
            (tf.gather(paths, shards), offsets),
            fn_output_signature=tf.TensorSpec((), tf.string),
        )
        caption = choose_captions(records, caption_numbers)
        return {"number": number, "image": rgb.decode(records), "caption": caption}

    slices = np.arange(len(rows)), shards, offsets, caption_numbers
    dataset = tf.data.Dataset.from_tensor_slices(slices)
    return dataset.map(load, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def _read_record(path, offset):
    """Reads one record of a TFRecord file, and checks its checksums."""
    kind: dict[str, Any] = {"output_types": [tf.string], "output_shapes": [()]}
    records = tf.raw_ops.TFRecordDatasetV2(
        filenames=[path],
        compression_type="",
        buffer_size=tf.constant(0, tf.int64),
        byte_offsets=[offset],
    )
    first = tf.raw_ops.TakeDataset(
        input_dataset=records, count=tf.constant(1, tf.int64), **kind
    )
    return tf.raw_ops.DatasetToSingleElement(dataset=first, **kind)[0]


def _in_order(batches: Iterator[Batch], count: int) -> Iterator[Batch]:
    """Sorts batches by their number, which is removed."""
    waiting: dict[int, Batch] = {}
    position = 0
    for batch in batches:
        waiting[int(batch.pop("number"))] = batch
        while position in waiting:
            yield waiting.pop(position)
            position += 1
        if len(waiting) > MAX_WAITING:
            break
    if position < count:
        raise JobError(
            f"tf.data service did not return batch {position + 1} of {count}: one of"
            " its workers stopped. The last checkpoint is kept: train on with --resume."
        )
