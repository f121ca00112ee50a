"""Says which batch would fit where the memory of a device is too small."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator

import keras
import tensorflow as tf

from kerasgan.errors import JobError
from kerasgan.training.replicas import is_multi_worker

MIN_BATCH_SIZE = 2  # for each replica
ROOM, FILES = "Make room on the disk.", "Allow more open files with ulimit -n."
OTHER_RESOURCES = {  # for which TensorFlow has the same error as for memory
    os.strerror(errno.ENOSPC): ROOM,
    os.strerror(errno.EDQUOT): ROOM,
    os.strerror(errno.EMFILE): FILES,
    os.strerror(errno.ENFILE): FILES,
}


@contextlib.contextmanager
def explain_memory_errors(
    model: keras.Model, dataset: tf.data.Dataset, stage: str, setting: str
) -> Iterator[None]:
    """Turns TensorFlow's error of a device without memory into a message.

    Batches of half the size are tried, and of half of that, until a training step
    passes. The model is trained by it, and is not to be used any more.

    Args:
        model: the compiled model.
        dataset: the batches that it trains with in the context.
        stage: name of the stage that trains.
        setting: name of the batch size in the settings.

    Raises:
        JobError: the memory is too small, the disk is full, or too many files are open.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        _check_other_resources(error, stage)
        size = _batch_size(dataset)
        message = f"The memory of the device is too small ({stage}, batch size {size})."
        if is_multi_worker(model.distribute_strategy):  # all workers would have to try
            raise JobError(f"{message} Try --set {setting}={size // 2}.") from error
        fitting = _fitting_batch_size(model, dataset, size)
        advice = (
            f"A step with {fitting} fits: --set {setting}={fitting}."
            if fitting
            else f"No smaller batch fits; the last one that was tried has"
            f" {MIN_BATCH_SIZE} images or fewer than twice as many. Use smaller images"
            " or networks, or another device."
        )
        raise JobError(f"{message} {advice} Earlier checkpoints are kept.") from error


def _check_other_resources(error, stage):
    for reason, advice in OTHER_RESOURCES.items():
        lines = [line for line in error.message.splitlines() if reason in line]
        if lines:
            line = re.sub(r"{{.*?}}|\[Op:.*", "", lines[0]).strip()
            raise JobError(
                f"Training stopped ({stage}): {line}. {advice} Earlier checkpoints are"
                " kept."
            ) from error


def _batch_size(dataset):
    return len(tf.nest.flatten(next(iter(dataset)))[0])


def _fitting_batch_size(model, dataset, size):
    """The largest of the half, the quarter … of `size` that fits; None if none does."""
    smallest = MIN_BATCH_SIZE * model.distribute_strategy.num_replicas_in_sync
    while (size := size // 2) >= smallest:
        with contextlib.suppress(tf.errors.ResourceExhaustedError):
            model.fit(_first_batch(dataset, size), verbose=0, shuffle=False)
            return size
    return None


def _first_batch(dataset, size):
    def shorten(*batch):
        shorter = tf.nest.map_structure(lambda values: values[:size], batch)
        return shorter if len(shorter) > 1 else shorter[0]

    return dataset.take(1).map(shorten).with_options(dataset.options())
