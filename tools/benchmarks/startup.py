"""Seconds from the start of a command to its help, its first step, or its end."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

from PIL import Image

KERASGAN = [sys.executable, "-m", "kerasgan"]
FIRST_STEP = [sys.executable, "-m", "benchmarks.first_step"]
SMALL = {  # trains in seconds, for commands that need a run
    "data.num_images": 60,
    "data.image_size": 32,
    "training.epochs": 1,
    "gan.discriminator": "conv",
    "captions.backbone": "conv",
    "captions.dual_encoder_epochs": 1,
    "captions.likelihood_epochs": 1,
    "captions.adversarial_epochs": 0,
}


def imports(options: SimpleNamespace) -> Callable[[], int]:
    """Imports TensorFlow and Keras, which most commands need.

    Args:
        options: of `bench.py`.
    """
    return _runner([sys.executable, "-c", "import keras, tensorflow"], options)


def help_text(options: SimpleNamespace, command: str) -> Callable[[], int]:
    """Prints the help of a command.

    Args:
        options: of `bench.py`.
        command: its name.
    """
    return _runner([*KERASGAN, command, "--help"], options)


def first_step(
    options: SimpleNamespace, command: str, prepared: bool = True
) -> Callable[[], int]:
    """Trains the embedded data set up to the end of the first step.

    Args:
        options: of `bench.py`.
        command: `"train-gan"` or `"train-classifier"`.
        prepared: whether the data set has been prepared before.
    """
    arguments = [*FIRST_STEP, command]
    if options.tiny:
        arguments += _assignments({"data.num_images": 60, "data.image_size": 32})
    if prepared:
        return _runner([*arguments, "--data-dir", _data_dir(options)], options)

    def run():
        with tempfile.TemporaryDirectory(dir=options.scratch) as data_dir:
            _run([*arguments, "--data-dir", data_dir], data_dir)
        return 1

    return run


def save_images(options: SimpleNamespace) -> Callable[[], int]:
    """Loads a generator, and saves a grid of images.

    Args:
        options: of `bench.py`.
    """
    run_dir = small_run(options)
    return _runner([*KERASGAN, "save-imgs", run_dir], options)


def caption(options: SimpleNamespace) -> Callable[[], int]:
    """Loads a captioner, and captions an image.

    Args:
        options: of `bench.py`.
    """
    run_dir = small_run(options)
    image = Path(options.scratch) / "image.png"
    Image.new("RGB", (64, 64), "green").save(image)
    return _runner([*KERASGAN, "caption", run_dir, str(image)], options)


def small_run(options: SimpleNamespace) -> str:
    """Trains a small run, or returns the one that was trained before.

    Args:
        options: of `bench.py`.
    """
    run_dir = Path(options.scratch) / "run"
    if not run_dir.is_dir():
        arguments = ["train-gan", "--data-dir", _data_dir(options)]
        arguments += ["--run-dir", str(run_dir), *_assignments(SMALL)]
        _run([*KERASGAN, *arguments], options.scratch)
    return str(run_dir)


def _assignments(settings) -> list[str]:
    return [
        text for item in settings.items() for text in ("--set", "{}={}".format(*item))
    ]


def _data_dir(options):
    return str(Path(options.scratch) / "data")


def _runner(command: Sequence[str], options: SimpleNamespace) -> Callable[[], int]:
    def run():
        _run(command, options.scratch)
        return 1

    return run


def _run(command, directory):
    # Runs are written below the working directory.
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{result.stderr}")
