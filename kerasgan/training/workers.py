"""The processes that train together: the environment variable `TF_CONFIG`."""

import json
import os

from kerasgan.errors import UserError

HINT = (
    'TF_CONFIG must be JSON such as {"cluster": {"worker": ["host1:12345",'
    ' "host2:12345"]}, "task": {"type": "worker", "index": 0}}, with another index in'
    " each process."
)
MAX_TF_CONFIG = 1_000_000  # characters


def read_tf_config() -> tuple[list[str], int]:
    """Reads and checks `TF_CONFIG`.

    Returns:
        The addresses of the workers, and the index of this one. Worker 0 is the chief.

    Raises:
        UserError: `TF_CONFIG` is missing or malformed, or names other tasks than
            workers.
    """
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text[:MAX_TF_CONFIG])
        workers, task = config["cluster"]["worker"], config["task"]
        kind, index = task["type"], task["index"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        problem = f"{type(error).__name__}: {error}" if text else "it is not set"
        raise UserError(f"The strategy multi-worker: {problem}. {HINT}") from None
    problem = _problem(config["cluster"], workers, kind, index)
    if problem:
        raise UserError(f"TF_CONFIG {problem}. {HINT}")
    return workers, index


def _problem(cluster, workers, kind, index):
    if set(cluster) != {"worker"} or kind != "worker":
        return "must name workers alone; the first of them is the chief"
    if not isinstance(workers, list) or not workers:
        return "has no list of workers"
    for address in workers:
        port = str(address).rpartition(":")[2]
        if not isinstance(address, str) or ":" not in address or not port.isdecimal():
            return f"has a worker that is no host:port: {address!r}"
    if len(set(workers)) < len(workers):
        return "names a worker twice"
    if type(index) is not int or not 0 <= index < len(workers):
        return f"has the index {index!r} with {len(workers)} workers"
    return None
