"""Measures `kerasgan index` and `kerasgan search` on real photographs.

    python tools/measure_index.py RUN PHOTOGRAPHS [--decoding beam] [--keep INDEX]

RUN is a run with a captions stage, PHOTOGRAPHS a folder of images. Prints one JSON
object. Each time is a pair of seconds by the clock and seconds of the processor, which
other programs change little. `start` is `kerasgan index` for one image, which is what
TensorFlow and the models take; `whole` for all images but 1 %; `add` for these; and
`unchanged` to find that nothing has changed. `search` is `kerasgan search` from the
shell by each ranking. `add_share` is that of `add` in `whole`.

`encoder` is the time of the bare image encoder for an image that is decoded already,
measured before and after; `decoded` that with vector and caption; `indexed` that of
`kerasgan index` from the file to the index, without `start`. `decoded_share` and
`indexed_share` are the images per second beside those of `encoder`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import kerasgan  # isort: skip  (sets TensorFlow's environment)
import numpy as np

from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.data.images import read_square_image
from kerasgan.data.layouts.folders import find_images
from kerasgan.inference.batch import CHUNK_SIZE
from kerasgan.runs import open_run

NUM_CHUNKS = 4  # of CHUNK_SIZE images, for `encoder` and `decoded`
QUERIES = "a dog", "two men", "a woman in a red dress", "children play", "a street"


def main() -> None:
    """Measures, and prints the results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--decoding", default="beam")
    parser.add_argument("--keep", type=Path, help="directory for the index")
    options = parser.parse_args()
    names = list(find_images(options.photographs.resolve()))
    run = open_run(options.run)
    pipeline, fit = kerasgan.load_captioner(run), run.settings.data.fit
    files = [options.photographs / name for name in names[: NUM_CHUNKS * CHUNK_SIZE]]
    size = pipeline.image_size
    images = [read_square_image(file.read_bytes(), size, fit) for file in files]
    before = measure_models(pipeline, np.stack(images), options.decoding)
    with tempfile.TemporaryDirectory() as folder:
        times = measure_commands(options, names, Path(folder))
    after = measure_models(pipeline, np.stack(images), options.decoding)
    times |= {name: (before[name] + after[name]) / 2 for name in before}
    count = len(names) - max(1, len(names) // 100)
    times["indexed"] = (times["whole"] - times["start"]) / (count - 1)
    times |= {
        "add_share": times["add"] / times["whole"],
        "decoded_share": times["encoder"] / times["decoded"],
        "indexed_share": times["encoder"] / times["indexed"],
    }
    results = {name: time.round(4).tolist() for name, time in times.items()}
    print(json.dumps({"images": len(names), **results}))


def measure(function: Callable, *arguments: object) -> np.ndarray:
    """Returns the seconds of a call by the clock, and of the processor.

    Args:
        function: called with `arguments`. Processes that it waits for are counted.
        *arguments: its arguments.
    """
    before = os.times()
    function(*arguments)
    spent = np.subtract(os.times(), before)
    return np.array([spent[4], spent[:4].sum()])


def measure_models(
    pipeline: CaptioningPipeline, images: np.ndarray, decoding: str
) -> dict[str, np.ndarray]:
    """Returns the times of an image, `encoder` and `decoded`.

    Args:
        pipeline: the models.
        images: uint8 `(n, size, size, 3)`.
        decoding: of the captions.
    """

    def index(chunk):
        features = pipeline.encode_images(chunk)
        vectors = pipeline.embed_images(chunk, features)
        pipeline.caption(features, vectors, decoding)

    chunks = np.split(images, range(CHUNK_SIZE, len(images), CHUNK_SIZE))
    times = {}
    for name, function in (("encoder", pipeline.encode_images), ("decoded", index)):
        function(chunks[0])  # for warming up
        rows = [measure(function, chunk) / len(chunk) for chunk in chunks]
        times[name] = np.median(rows, axis=0)
    return times


def measure_commands(
    options: argparse.Namespace, names: Sequence[str], folder: Path
) -> dict[str, np.ndarray]:
    """Measures `kerasgan index` and `kerasgan search`.

    Args:
        options: of the command line.
        names: of the images, relative to the folder of photographs.
        folder: for tables, and for the index unless it is kept.
    """
    command = ["index", str(options.run), "--decoding", options.decoding, "--out"]

    def index(title, out, rows):
        table = folder / f"{title}.jsonl"
        table.write_text("".join(json.dumps({"image": n}) + "\n" for n in rows))
        root = options.photographs.resolve()
        source = ["--source", str(table), "--image-root", str(root)]
        return measure(call, *command, str(out), *source)

    # What validation images decide is kept in the run, and is no part of the times.
    index("choices", folder / "choices", names[:1])
    count, out = max(1, len(names) // 100), options.keep or folder / "index"
    times = {
        "start": index("start", folder / "start", names[:1]),
        "whole": index("whole", out, names[count:]),
        "add": index("add", out, names[:count]),
        "unchanged": measure(call, *command, str(out)),
    }
    for by in ("words", "embedding", "blend"):
        rows = [measure(call, "search", str(out), text, "--by", by) for text in QUERIES]
        times[f"search {by}"] = np.median(rows, axis=0)
    return times


def call(*arguments: str) -> None:
    """Runs a command of kerasgan.

    Args:
        *arguments: of the command.
    """
    command = [sys.executable, "-m", "kerasgan", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")


if __name__ == "__main__":
    main()
