"""Whether training waits for its images, and whether its memory grows.

    python tools/measure_feeding.py --dataset flickr30k --source DIR --epochs 20

Trains as `kerasgan train-gan` does, on one device, but with a loop of its own that
times waiting for the next batch apart from the step on it. What an epoch needs before
its first batch counts as waiting; the first epoch, which builds the graph, does not
count in the end.
"""

import argparse
import json
import os
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
import tensorflow as tf

from kerasgan.config.recipes import resolve
from kerasgan.data import load_data
from kerasgan.errors import JobError, UserError
from kerasgan.gan.train_gan import prepare_training
from kerasgan.runs import new_run
from kerasgan.training.devices import distribution_strategy

DATA = {"dataset": str, "source": str, "data_dir": str}
DATA |= {"images": int, "image_size": int}


def resident():
    """Resident memory of this process, MB."""
    try:
        import psutil
    except ImportError:
        with open("/proc/self/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return psutil.Process().memory_info().rss / 1e6


def run_epoch(step, batches):
    """Seconds waited for batches, and seconds of steps."""
    waited, worked = 0.0, 0.0
    start = time.perf_counter()
    iterator = iter(batches())
    while (batch := next(iterator, None)) is not None:
        ready = time.perf_counter()
        np.asarray(step(batch)["g_loss"])  # here only when the step is done
        end = time.perf_counter()
        waited, worked, start = waited + ready - start, worked + end - ready, end
    return waited + time.perf_counter() - start, worked


def measure(settings, show):
    """A dict an epoch, each handed to `show` when it is done."""
    place = distribution_strategy(settings.training.device)
    train = load_data(settings.data).train
    with tempfile.TemporaryDirectory() as directory:
        run = new_run("train-gan", settings, directory)
        gan, feed, _ = prepare_training(settings, run, train, place)
    step = tf.function(gan.train_step, jit_compile=gan.jit_compile)
    rows, seed = [], settings.training.seed
    for epoch in range(1, settings.training.epochs + 1):
        waited, worked = run_epoch(
            step, lambda: feed.batches(gan.batch_size, seed, epoch)
        )
        rows.append({"epoch": epoch, "waited": waited, "worked": worked})
        rows[-1] |= {"share": waited / (waited + worked), "resident_mb": resident()}
        show(rows[-1])
    return rows


def summary(rows):
    waited, worked = (sum(row[k] for row in rows[1:]) for k in ("waited", "worked"))
    return {
        "share_waited": waited / (waited + worked),
        "growth_mb": rows[-1]["resident_mb"] - rows[1]["resident_mb"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, kind in DATA.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind)
    parser.add_argument("--epochs", type=int, default=20, help="at least 2")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.epochs < 2:
        parser.error(f"--epochs must be 2 at least. Received: {options.epochs}")
    given = {f"data.{name}": getattr(options, name) for name in DATA}
    given = {key: value for key, value in given.items() if value is not None}
    given["training.epochs"] = options.epochs
    line = "epoch {epoch}: waited {share:.2%}, resident {resident_mb:.0f} MB"
    show = (lambda row: None) if options.json else lambda row: print(line.format(**row))
    try:
        rows = measure(resolve(values=given), show)
    except (UserError, JobError) as error:
        parser.exit(2 if isinstance(error, UserError) else 1, f"{error}\n")
    result = summary(rows)
    if options.json:
        print(json.dumps({**result, "epochs": rows}, indent=2))
    else:
        print("after the first epoch: waited {share_waited:.2%}".format(**result))
        print("from epoch 2 to the last: grew by {growth_mb:.1f} MB".format(**result))


if __name__ == "__main__":
    main()
