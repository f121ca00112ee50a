"""Whether all workers train the same on the same data, and whether all of them run."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kerasgan.config.settings import Settings
from kerasgan.errors import JobError, UserError
from kerasgan.training.replicas import is_multi_worker, quiet_collectives

MAY_DIFFER = {  # places
    *("data.data_dir", "data.source", "training.device", "classifier.fill_captions"),
}
MAX_NAMED = 5  # disagreements that a message lists
FAILURES = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnknownError,
)


def require_agreement(
    strategy: tf.distribute.Strategy,
    settings: Settings,
    ids: Sequence[str],
    captions: Sequence[Sequence[str]],
    content: str | None,
) -> None:
    """Compares settings and training data of all workers, which all have to call this.

    Args:
        strategy: see `distribution_strategy`; one process agrees with itself.
        settings: all settings.
        ids: of the training images.
        captions: of each image.
        content: digest of the data set's images, captions and labels, see `Pairs.info`.

    Raises:
        UserError: a worker has other settings or data, which are named.
    """
    if not is_multi_worker(strategy):
        return
    facts = {
        f"{section}.{key}": json.dumps(value)
        for section, values in settings.model_dump().items()
        for key, value in values.items()
        if f"{section}.{key}" not in MAY_DIFFER
    }
    facts |= {
        "number of training images": str(len(ids)),
        "ids of the training images": _digest(list(ids)),
        "captions of the training images": _digest([list(texts) for texts in captions]),
        "images, captions and labels": str(content),
    }
    lines = disagreements(_gather(strategy, facts))
    if lines:
        raise UserError("The workers disagree.\n" + "\n".join(lines))


def disagreements(facts: Sequence[dict[str, str]]) -> list[str]:
    """Names what workers have in which they differ from the chief.

    Args:
        facts: of each worker, the chief's first; all with the same names.

    Returns:
        Lines for people, at most `MAX_NAMED` for a worker.
    """
    lines = []
    for index, other in enumerate(facts):
        names = [name for name in facts[0] if other.get(name) != facts[0][name]]
        lines += [
            f"worker {index} has {name}={other.get(name)}, worker 0 has"
            f" {facts[0][name]}"
            for name in names[:MAX_NAMED]
        ]
    return lines


@contextlib.contextmanager
def worker_failures(strategy: tf.distribute.Strategy, advice: str) -> Iterator[None]:
    """Turns the errors of a collective whose peer has gone into a message.

    Args:
        strategy: see `distribution_strategy`.
        advice: what to do.

    Raises:
        JobError: a worker cannot be reached.
    """
    try:
        yield
    except FAILURES as error:
        if not is_multi_worker(strategy):
            raise
        line = str(error.message).strip().partition("\n")[0]
        reason = line.rpartition("}} ")[2][:300].rstrip(".")  # after the node's name
        raise JobError(
            f"A worker stopped or cannot be reached: {reason}. {advice}"
        ) from error


def _digest(values: list) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def _gather(strategy: Any, facts: dict[str, str]) -> list[dict[str, str]]:
    """The facts of all workers, in their order."""
    text = np.frombuffer(json.dumps(facts).encode(), np.uint8).astype(np.int32)

    def gather(values):
        tensor = tf.constant(np.asarray(values, np.int32)[None])
        with quiet_collectives():
            return strategy.gather(strategy.run(lambda: tensor), axis=0).numpy()

    length = int(gather([len(text)]).max())
    rows = gather(np.pad(text, (0, length - len(text))))
    # A worker with several devices sends its facts with each of them.
    texts = [bytes(row[row > 0].astype(np.uint8)).decode() for row in rows]
    workers = strategy.cluster_resolver.cluster_spec().num_tasks("worker")
    return [json.loads(text) for text in texts[:: max(len(texts) // workers, 1)]]
