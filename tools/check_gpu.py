"""Trains every model a few steps on the GPU, compares them with the CPU, runs commands.

    python tools/check_gpu.py --out gpu-check

Checks that all losses are finite, also in mixed_bfloat16, and that losses and weights
of the first step equal the CPU's; measures images a second and memory. Writes
`check.json` and `check.log` into the folder, and exits with 1 if a check fails. Without
a GPU it does the same on the CPU, and says so. After --minutes no further model is
trained. With --commands it first trains both kinds of runs on 400 embedded images, and
uses and exports them.
"""

import argparse
import contextlib
import json
import math
import sys
import tempfile
import time
import unittest.mock
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from check_gpu_commands import run_commands
from check_gpu_jobs import JOBS, Sizes

from kerasgan.encoders.efficientnet_lite import is_installed
from kerasgan.encoders.precision import dtype_policy_scope
from kerasgan.files import write_json

LOSS_TOLERANCE = 5e-3  # relative, in float32 without TF32
WEIGHT_TOLERANCE = 5e-3  # of the largest change of a weight in the first step


@contextlib.contextmanager
def fixed_numbers():
    """Draws the same numbers on all devices, and drops nothing out."""

    def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        count = tf.reduce_prod(tf.stack(shape))
        waves = tf.sin(97.0 * (1 + tf.range(count, dtype=tf.float32)))
        values = minval + (maxval - minval) * (1 + waves) / 2
        return tf.cast(tf.reshape(values, shape), dtype or tf.float32)

    def normal(shape, dtype=None, seed=None):
        return uniform(shape, -1.0, 1.0, dtype)

    def keep(self, inputs, training=False):
        return inputs

    patch = unittest.mock.patch.object
    with (
        patch(keras.random, "uniform", uniform),
        patch(keras.random, "normal", normal),
        patch(keras.layers.Dropout, "call", keep),
    ):
        yield


def train(build, sizes, device, precision, steps, weights=None):
    """Losses of steps, the weights after the last one, seconds, and initial weights."""
    strategy = tf.distribute.OneDeviceStrategy(device)
    keras.utils.set_random_seed(0)
    with dtype_policy_scope(precision), strategy.scope():
        model, batch = build(sizes)
        if weights is not None:
            model.set_weights(weights)
    initial = model.get_weights()
    dataset = tf.data.Dataset.from_tensors(batch).repeat()
    losses, marks = [], []

    def record(step, logs):
        losses.append({name: float(np.ravel(logs[name])[0]) for name in logs})
        marks.append(time.perf_counter())

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=record)
    options = {"verbose": 0, "shuffle": False, "callbacks": [callback]}
    # An epoch of each step, so that the losses are no running means.
    for _ in range(min(steps, 2)):
        model.fit(dataset, steps_per_epoch=1, **options)
    weights = model.get_weights() if steps == 1 else None
    if steps > 2:
        model.fit(dataset, steps_per_epoch=steps - 2, **options)
    seconds = (marks[-1] - marks[2]) / max(len(marks) - 3, 1) if steps > 3 else None
    return losses, weights, seconds, initial


def difference(build, sizes, device):
    """How far the first step on a device is from the CPU's."""
    with fixed_numbers():
        tf.config.experimental.enable_tensor_float_32_execution(False)
        expected, cpu, _, initial = train(build, sizes, "/cpu:0", "float32", 1)
        losses, other, _, _ = train(build, sizes, device, "float32", 1, initial)
        tf.config.experimental.enable_tensor_float_32_execution(True)
    loss = max(
        abs(losses[0][name] - value) / (abs(value) + 1e-3)
        for name, value in expected[0].items()
    )
    change = max(np.abs(a - b).max() for a, b in zip(cpu, initial, strict=True))
    weight = max(np.abs(a - b).max() for a, b in zip(cpu, other, strict=True))
    return loss, float(weight / change)


def check(name, sizes, small_sizes, device):
    """Returns the results of a job, as they are written."""
    build, precisions = JOBS[name]
    loss, weight = difference(build, small_sizes, device)
    result = {
        "loss difference": loss,
        "weight difference": weight,
        "equal": loss <= LOSS_TOLERANCE and weight <= WEIGHT_TOLERANCE,
    }
    for precision in precisions:
        if "GPU" in device.upper():
            tf.config.experimental.reset_memory_stats("GPU:0")
        losses, _, seconds, _ = train(build, sizes, device, precision, sizes.steps)
        values = [value for step in losses for value in step.values()]
        result[precision] = {
            "finite": all(map(math.isfinite, values)),
            "images per second": round(sizes.batch / seconds, 1) if seconds else None,
            "last": losses[-1],
        }
        if "GPU" in device.upper():
            memory = tf.config.experimental.get_memory_info("GPU:0")["peak"]
            result[precision]["peak MiB"] = memory >> 20
    are_finite = all(result[precision]["finite"] for precision in precisions)
    result["passed"] = result["equal"] and are_finite
    return result


def main():
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("gpu-check"))
    parser.add_argument("--minutes", type=float, default=5.5)
    parser.add_argument("--commands", action="store_true", help="Also the commands.")
    parser.add_argument("--small", action="store_true", help="Small networks and data.")
    parser.add_argument("--jobs", nargs="*", choices=list(JOBS), default=list(JOBS))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    log = open(arguments.out / "check.log", "w", encoding="utf-8")  # noqa: SIM115

    def say(line):
        print(line, flush=True)
        print(line, file=log, flush=True)

    gpus = tf.config.list_physical_devices("GPU")
    device = "/gpu:0" if gpus else "/cpu:0"
    details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
    title = details.get("device_name", "GPU") if gpus else "no GPU: this checks the CPU"
    say(f"{title}; TensorFlow {tf.__version__}, Keras {keras.__version__}")
    report = {"device": title, "jobs": {}}
    if arguments.commands:  # before this process takes the memory of the GPU
        with tempfile.TemporaryDirectory() as folder:
            report["jobs"] = run_commands(Path(folder), "auto" if gpus else "cpu")
        say(json.dumps(report["jobs"]))
    start = time.perf_counter()
    sizes, small_sizes = Sizes(arguments.small or not gpus), Sizes(small=True)
    for name in arguments.jobs:
        if time.perf_counter() - start > 60 * arguments.minutes:
            result = {"passed": False, "error": "no time, see --minutes"}
        elif name == "gan, projected" and not is_installed():
            result = {"skipped": "no weights of the backbone"}
        else:
            try:
                result = check(name, sizes, small_sizes, device)
            except Exception as error:  # the next jobs are checked all the same
                result = {"passed": False, "error": f"{type(error).__name__}: {error}"}
        report["jobs"][name] = result
        report["seconds"] = time.perf_counter() - start
        say(f"{name}: {json.dumps(result)}")
        write_json(arguments.out / "check.json", report)
    failed = [name for name in report["jobs"] if not report["jobs"][name].get("passed")]
    failed = [name for name in failed if "skipped" not in report["jobs"][name]]
    say(f"failed: {', '.join(failed) or 'none'}; {report['seconds']:.0f} s")
    log.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
