"""Measures `kerasgan index` and `kerasgan search` on real photographs.

    python tools/measure_index.py RUN PHOTOGRAPHS [--decoding beam] [--keep INDEX]

RUN is a run with a captions stage, PHOTOGRAPHS a folder of images. Prints one JSON
object. Seconds of `kerasgan index`: `start` for one image, which is what TensorFlow and
the models take; `whole` for all images but 1 %; `add` for these; `unchanged` to find
that nothing has changed; and `add_share`, that of `add` in `whole`.

Images per second: `encoder` is the bare image encoder on decoded images, measured
before and after; `decoded` also embeds and captions them; `indexed` is `kerasgan index`
from the files to the index, without `start`. `decoded_share` and `indexed_share` are
those of `encoder`.

`search` are the seconds of `kerasgan search` from the shell, by each ranking.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
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
    images = np.stack(
        [
            read_square_image(
                (options.photographs / name).read_bytes(), pipeline.image_size, fit
            )
            for name in names[: NUM_CHUNKS * CHUNK_SIZE]
        ]
    )
    before = measure_models(pipeline, images, options.decoding)
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure_updates(options, names, Path(folder))
        index = options.keep or Path(folder) / "index"
        search = {by: measure_search(index, by) for by in ("words", "embedding")}
    after = measure_models(pipeline, images, options.decoding)
    rates = {name: (before[name] + after[name]) / 2 for name in before}
    count = seconds["images"] - max(1, seconds["images"] // 100)
    rates["indexed"] = (count - 1) / (seconds["whole"] - seconds["start"])
    shares = {
        f"{name}_share": round(rates[name] / rates["encoder"], 3)
        for name in ("decoded", "indexed")
    }
    rates = {name: round(rate, 1) for name, rate in rates.items()}
    print(json.dumps({**seconds, **rates, **shares, "search": search}))


def measure_models(
    pipeline: CaptioningPipeline, images: np.ndarray, decoding: str
) -> dict[str, float]:
    """Returns images per second, `encoder` and `decoded`.

    Args:
        pipeline: the models.
        images: uint8 `(n, size, size, 3)`.
        decoding: of the captions.
    """

    def index(chunk):
        features = pipeline.encode_images(chunk)
        vectors = pipeline.embed_images(chunk, features)
        pipeline.caption(features, vectors, decoding)

    return {
        "encoder": measure_rate(pipeline.encode_images, images),
        "decoded": measure_rate(index, images),
    }


def measure_rate(function: Callable, images: np.ndarray) -> float:
    """Returns images per second, the median of chunks after one for warming up.

    Args:
        function: called with `CHUNK_SIZE` images at a time.
        images: uint8 `(n, size, size, 3)`.
    """
    rates = []
    for start in [0, *range(0, len(images), CHUNK_SIZE)]:
        chunk = images[start : start + CHUNK_SIZE]
        began = time.perf_counter()
        function(chunk)
        rates.append(len(chunk) / (time.perf_counter() - began))
    return statistics.median(rates[1:])


def measure_updates(
    options: argparse.Namespace, names: Sequence[str], folder: Path
) -> dict[str, float]:
    """Measures `kerasgan index` of one image, of all but 1 %, and of these.

    Args:
        options: of the command line.
        names: of the images, relative to the folder of photographs.
        folder: for tables, and for the index unless it is kept.
    """
    command = [sys.executable, "-m", "kerasgan", "index", str(options.run)]
    command += ["--decoding", options.decoding, "--out"]

    def index(title, out, rows):
        table = folder / f"{title}.jsonl"
        table.write_text("".join(json.dumps({"image": n}) + "\n" for n in rows))
        root = options.photographs.resolve()
        source = ["--source", str(table), "--image-root", str(root)]
        return time_command([*command, str(out), *source])

    # What validation images decide is kept in the run, and is no part of the times.
    index("choices", folder / "choices", names[:1])
    count, out = max(1, len(names) // 100), options.keep or folder / "index"
    seconds = {
        "start": index("start", folder / "start", names[:1]),
        "whole": index("whole", out, names[count:]),
        "add": index("add", out, names[:count]),
        "unchanged": time_command([*command, str(out)]),
    }
    share = round(seconds["add"] / seconds["whole"], 4)
    return {"images": len(names), **seconds, "add_share": share}


def measure_search(index: Path, by: str) -> float:
    """Returns the median seconds of `kerasgan search` from the shell.

    Args:
        index: its directory.
        by: the ranking.
    """
    command = [sys.executable, "-m", "kerasgan", "search", str(index), "--by", by]
    return statistics.median(time_command([*command, query]) for query in QUERIES)


def time_command(command: Sequence[str]) -> float:
    """Returns the seconds of a command.

    Args:
        command: with its arguments.
    """
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return round(time.perf_counter() - start, 2)


if __name__ == "__main__":
    main()
