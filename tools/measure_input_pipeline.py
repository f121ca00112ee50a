"""Measures how long training waits for images, and whether its memory grows.

    python tools/measure_input_pipeline.py --dataset flickr30k --source DIR --epochs 20

Trains as `kerasgan train-gan` does, on one device, but with its own loop, which times
the wait for the next batch and the training step separately. The start of an epoch
counts as waiting. The first epoch, which traces the graph, is left out of the result.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
import tensorflow as tf

from kerasgan.config.recipes import resolve
from kerasgan.config.settings import Settings
from kerasgan.data import load_data
from kerasgan.errors import JobError, UserError
from kerasgan.gan.train_gan import prepare_training
from kerasgan.runs import new_run
from kerasgan.training.devices import distribution_strategy

DATA_OPTIONS = {  # option: (key of `DataConfig`, type)
    "--dataset": ("dataset", str),
    "--source": ("source", str),
    "--data-dir": ("data_dir", str),
    "--images": ("num_images", int),
    "--image-size": ("image_size", int),
}


def resident_memory() -> float:
    """Returns the resident memory of this process in MB."""
    try:
        import psutil
    except ImportError:
        with open("/proc/self/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return psutil.Process().memory_info().rss / 1e6


def run_epoch(
    train_step: Callable, batches: Iterator, num_steps: int
) -> tuple[float, float]:
    """Trains for one epoch.

    Args:
        train_step: a batch to a dict of losses.
        batches: endless.
        num_steps: steps in the epoch.

    Returns:
        Seconds spent waiting for batches, and seconds spent in steps.
    """
    waiting, training = 0.0, 0.0
    start = time.perf_counter()
    for _ in range(num_steps):
        batch = next(batches)
        ready = time.perf_counter()
        np.asarray(train_step(batch)["g_loss"])  # waits until the step is done
        end = time.perf_counter()
        waiting, training, start = waiting + ready - start, training + end - ready, end
    return waiting, training


def measure(settings: Settings, on_epoch_end: Callable[[dict], None]) -> list[dict]:
    """Trains a GAN and measures each epoch.

    Args:
        settings: all options.
        on_epoch_end: receives the measurements of each epoch when it ends.

    Returns:
        For each epoch a dict with the keys `epoch`, `waiting_seconds`, `step_seconds`,
        `waiting_share` and `resident_mb`.

    Raises:
        UserError: the settings do not fit together, or do not fit the data.
        JobError: the data set cannot be prepared.
    """
    strategy = distribution_strategy(settings.training.device)
    train = load_data(settings.data).train
    with tempfile.TemporaryDirectory() as directory:
        run = new_run("train-gan", settings, directory)
        gan, dataset, batch_size = prepare_training(settings, run, train, strategy)
    train_step = tf.function(gan.train_step, jit_compile=gan.jit_compile)
    batches = iter(dataset.batches(batch_size, settings.training.seed))
    epochs = []
    for epoch in range(1, settings.training.epochs + 1):
        waiting, training = run_epoch(train_step, batches, dataset.steps(batch_size))
        epochs.append(
            {
                "epoch": epoch,
                "waiting_seconds": waiting,
                "step_seconds": training,
                "waiting_share": waiting / (waiting + training),
                "resident_mb": resident_memory(),
            }
        )
        on_epoch_end(epochs[-1])
    return epochs


def summarize(epochs: list[dict]) -> dict[str, float]:
    """Summarizes all epochs but the first.

    Args:
        epochs: the result of `measure`, at least two epochs.

    Returns:
        `waiting_share`, the share of the time spent waiting for batches, and
        `memory_growth_mb`, how much resident memory grew from the end of epoch 2 to
        the end of the last epoch.
    """
    waiting, training = (
        sum(epoch[key] for epoch in epochs[1:])
        for key in ("waiting_seconds", "step_seconds")
    )
    return {
        "waiting_share": waiting / (waiting + training),
        "memory_growth_mb": epochs[-1]["resident_mb"] - epochs[1]["resident_mb"],
    }


def print_epoch(epoch: dict) -> None:
    """Prints the measurements of one epoch.

    Args:
        epoch: an item of the result of `measure`.
    """
    line = "epoch {epoch}: waited {waiting_share:.2%}, resident {resident_mb:.0f} MB"
    print(line.format(**epoch))


def main() -> None:
    """Measures and prints text or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option, (key, value_type) in DATA_OPTIONS.items():
        parser.add_argument(option, dest=key, type=value_type)
    parser.add_argument("--epochs", type=int, default=20, help="at least 2")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.epochs < 2:
        parser.error(f"--epochs must be at least 2. Received: {options.epochs}")
    values = {f"data.{key}": getattr(options, key) for key, _ in DATA_OPTIONS.values()}
    values = {key: value for key, value in values.items() if value is not None}
    values["training.epochs"] = options.epochs
    on_epoch_end = (lambda epoch: None) if options.json else print_epoch
    try:
        epochs = measure(resolve(values=values), on_epoch_end)
    except (UserError, JobError) as error:
        parser.exit(2 if isinstance(error, UserError) else 1, f"{error}\n")
    summary = summarize(epochs)
    if options.json:
        print(json.dumps({**summary, "epochs": epochs}, indent=2))
    else:
        print("after the first epoch: waited {waiting_share:.2%}".format(**summary))
        print("memory growth from epoch 2: {memory_growth_mb:.1f} MB".format(**summary))


if __name__ == "__main__":
    main()
