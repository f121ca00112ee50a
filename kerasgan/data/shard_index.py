"""The index of a split: sizes of its records, captions and labels, without images."""

import contextlib
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import tensorflow as tf

from kerasgan.errors import JobError, UserError
from kerasgan.files import CHECKSUM_BYTES, is_whole, open_partial, read_json

BATCH_SIZE = 1024  # records
CAPTIONS = pa.list_(pa.string())
SCHEMA = pa.schema(
    [
        ("size", pa.int64()),
        ("checksum", pa.uint32()),
        ("captions", CAPTIONS),
        ("label", pa.int64()),
        ("labels", pa.list_(pa.int64())),
    ]
)
FEATURES = {
    "image_id": tf.io.FixedLenFeature((), tf.string),
    "captions": tf.io.RaggedFeature(tf.string),
    "label": tf.io.FixedLenFeature((), tf.int64, default_value=-1),
    "labels": tf.io.RaggedFeature(tf.int64),
}


def shard_paths(path: Path, name: str) -> tuple[list[Path], list[int]]:
    """Returns the TFRecord files of a split, and the number of records in each.

    Args:
        path: directory of the prepared data set.
        name: of the split.

    Raises:
        UserError: a file is missing, or dataset_info.json is damaged.
    """
    file = path / "dataset_info.json"
    try:
        info = read_json(file, {"name": str, "splits": list})
        lengths = {
            part["name"]: part.get("shardLengths", []) for part in info["splits"]
        }
        counts = [int(length) for length in lengths.get(name, [])]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise damaged(file, str(error)) from error
    paths = [
        path / f"{info['name']}-{name}.tfrecord-{shard:05d}-of-{len(counts):05d}"
        for shard in range(len(counts))
    ]
    for file in paths:
        if not file.is_file():
            raise damaged(file, "it does not exist")
    return paths, counts


def open_index(
    path: Path, shards: Sequence[Path], counts: Sequence[int], ids: Sequence[str]
) -> pa.Table:
    """Opens the index of a split, which is made if it is missing.

    The index is an Arrow file that is mapped into memory, so that captions take no
    memory of the process. Where the directory cannot be written to, they do.

    Args:
        path: of the index.
        shards: the TFRecord files of the split.
        counts: number of records in each.
        ids: of the images, in order.

    Returns:
        A table with the columns `size` (bytes of the serialized example), `checksum`
        (CRC-32 of the same), `captions` (a list of strings), `label` (-1 without) and
        `labels` (a list of numbers, empty without).

    Raises:
        UserError: a file is damaged or holds other images.
        JobError: the disk is full.
    """
    with contextlib.suppress(OSError, pa.ArrowInvalid):
        if is_whole(path):
            table = _map_table(path)
            if table.schema == SCHEMA and len(table) == len(ids):
                return table
    try:
        with open_partial(path, checksum=True) as file:
            _write_index(file, shards, counts, ids)
    except PermissionError:
        buffer = pa.BufferOutputStream()
        _write_index(buffer, shards, counts, ids)
        return pa.ipc.open_file(buffer.getvalue()).read_all()
    except OSError as error:
        raise JobError(
            f"Could not write {path}: {error}\nCheck that the disk is not full."
        ) from error
    return _map_table(path)


def _map_table(path):
    """Maps an Arrow file with a checksum at its end into memory."""
    buffer = pa.memory_map(str(path)).read_buffer()
    return pa.ipc.open_file(buffer[: len(buffer) - CHECKSUM_BYTES]).read_all()


def _write_index(file: IO | pa.NativeFile, shards, counts, ids) -> None:
    with pa.ipc.new_file(file, SCHEMA) as writer:
        first = 0
        for path, count in zip(shards, counts, strict=True):
            expected = ids[first : first + count]
            found = 0
            for names, batch in _read_shard(path):
                if names != expected[found : found + len(names)]:
                    raise damaged(path, "it holds other images than data.json names")
                writer.write_batch(batch)
                found += len(names)
            if found < count:
                raise damaged(path, f"it holds {found} images instead of {count}")
            first += count


def _read_shard(path: Path) -> Iterator[tuple[list[str], pa.RecordBatch]]:
    """Yields ids of images and rows of the index."""
    records = tf.data.TFRecordDataset(str(path)).batch(BATCH_SIZE)
    records = records.map(
        lambda batch: (batch, tf.io.parse_example(batch, FEATURES)),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    try:
        for batch, examples in records.prefetch(2):
            serialized = batch.numpy()
            columns = [
                pa.array(map(len, serialized), pa.int64()),
                pa.array(map(zlib.crc32, serialized), pa.uint32()),
                _to_lists(examples["captions"], pa.binary()).cast(CAPTIONS),
                pa.array(examples["label"].numpy()),
                _to_lists(examples["labels"], pa.int64()),
            ]
            names = [name.decode() for name in examples["image_id"].numpy()]
            yield names, pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
    except tf.errors.OpError as error:
        raise damaged(path, error.message) from error


def _to_lists(ragged: tf.RaggedTensor, dtype: pa.DataType) -> pa.ListArray:
    offsets = ragged.row_splits.numpy().astype(np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(ragged.values.numpy(), dtype))


def damaged(path: Path, reason: str) -> UserError:
    """Returns the error of a damaged file of a prepared data set.

    Args:
        path: of the file.
        reason: what is wrong, such as "it is truncated", or a message of TensorFlow.
    """
    reason = re.sub(r"{{.*?}}|\[Op:.*", "", reason).strip().partition("\n")[0]
    return UserError(
        f"The prepared data set is damaged: {path}: {reason}. Delete the folder"
        f" {path.parent}, and the data set is prepared again."
    )
