"""Measures searches of an index of synthetic vectors and captions.

    python tools/measure_search.py DIR [--images 1000000] [--dim 512]

DIR keeps the index; if it exists, it is not built again. The dimensions of the vectors
decay as those of a dual encoder trained on Flickr30k do; a query is an image's vector
with noise, as far from it as a caption is. Captions are words drawn by Zipf's law.

Prints one JSON object. Times are in milliseconds, medians of warm queries: `words`,
`embedding`, `blend` and `full_product`, the plain product with all vectors; with FAISS
installed, also its exact search, `faiss_flat`. `open` is the time to open the
index after imports, `anonymous_mib` the memory beyond mapped files, `shell` the seconds
of `kerasgan search` on an index of 1,000 images from the shell. `add_seconds` is the
time to add 1 % to the index, without captioning.
"""

import argparse
import json
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from kerasgan.files import write_json, write_text
from kerasgan.search.index_files import (
    FORMAT,
    MANIFEST,
    IndexData,
    read_manifest,
    save_array,
)
from kerasgan.search.journal import Journal
from kerasgan.search.nearest import best_positions, nearest_rows
from kerasgan.search.publish import publish
from kerasgan.search.search_index import SearchIndex
from kerasgan.search.text_embedding import ARRAYS, TOKENS

NUM_WORDS, NUM_QUERIES, CHUNK_SIZE = 3000, 20, 20_000
# Share of the squared length in the first 16, 32, 64 ... dimensions, as measured.
ENERGY = {0: 0, 16: 0.53, 32: 0.68, 64: 0.79, 128: 0.87, 256: 0.94}
QUERY_NOISE = 0.9  # length of the noise beside the vector


def main() -> None:
    """Builds the index if necessary, and measures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=Path)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    options = parser.parse_args()
    start = time.perf_counter()
    if not (options.dir / MANIFEST).exists():
        build_in_subprocess(options.dir, options.images, options.dim)
    results = {"build_seconds": round(time.perf_counter() - start, 1)}
    start = time.perf_counter()
    index = SearchIndex(options.dir)
    results["open"] = 1000 * (time.perf_counter() - start)
    results |= measure_queries(index)
    results["add_seconds"] = measure_addition(options.dir, options.dim)
    with tempfile.TemporaryDirectory() as folder:
        build_in_subprocess(Path(folder) / "small", 1000, options.dim)
        results["shell"] = {
            by: measure_shell(Path(folder) / "small", by)
            for by in ("words", "embedding", "blend")
        }
    print(json.dumps(results))


def build_in_subprocess(path: Path, num_images: int, dim: int) -> None:
    """Calls `build`, which imports TensorFlow, in a process with its own memory.

    Args:
        path: the directory.
        num_images: number of images.
        dim: size of the vectors.
    """
    arguments = path, num_images, dim
    process = multiprocessing.get_context("spawn").Process(target=build, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


def build(path: Path, num_images: int, dim: int) -> None:
    """Writes an index of images that do not exist.

    Args:
        path: the directory.
        num_images: number of images.
        dim: size of the vectors.
    """
    random = np.random.default_rng(0)
    save_models(path / "model", dim, random)
    manifest = {"format": FORMAT, "run": "", "models": "", "decoding": "greedy"}
    manifest |= {"sources": [], "data": None, "dim": dim, "caption_length": 22}
    manifest |= {"ranking": {"default": "blend", "weight": 0.2}}
    manifest["needs_tensorflow"] = False
    write_json(path / MANIFEST, manifest)
    header = {name: manifest[name] for name in ("models", "decoding", "dim")}
    journal = Journal(path, header)
    append_rows(journal, num_images, dim, random)
    publish(path, manifest, None, np.arange(0), journal, np.arange(num_images))


def append_rows(
    journal: Journal, num_images: int, dim: int, random: np.random.Generator
) -> None:
    """Appends images that do not exist.

    Args:
        journal: of an index.
        num_images: number of images.
        dim: size of the vectors.
        random: source of random numbers.
    """
    for start in range(0, num_images, CHUNK_SIZE):
        count = min(CHUNK_SIZE, num_images - start)
        records = [
            {"image": f"/no/{start + row:08d}.jpg", "caption": caption}
            | {"size": 1, "mtime_ns": 1, "sha256": f"{start + row:064x}"}
            for row, caption in enumerate(draw_captions(count, random))
        ]
        journal.append(records, draw_vectors(count, dim, random))


def draw_vectors(count: int, dim: int, random: np.random.Generator) -> np.ndarray:
    """Draws unit vectors, float32 `(count, dim)`.

    Args:
        count: number of vectors.
        dim: their size.
        random: source of random numbers.
    """
    ends = np.array([*ENERGY, max(512, dim)])
    energy = np.interp(np.arange(dim + 1), ends, [*ENERGY.values(), 1])
    scales = np.sqrt(np.diff(energy)).astype(np.float32)
    vectors = random.standard_normal((count, dim), np.float32) * scales
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def draw_captions(count: int, random: np.random.Generator) -> Iterator[str]:
    """Draws captions of 7 to 14 words.

    Args:
        count: number of captions.
        random: source of random numbers.
    """
    ranks = np.arange(1, NUM_WORDS + 1)
    words = random.choice(NUM_WORDS, (count, 14), p=1 / ranks / (1 / ranks).sum())
    for row, length in zip(words, random.integers(7, 15, count), strict=True):
        yield " ".join(f"w{word}" for word in row[:length])


def save_models(path: Path, dim: int, random: np.random.Generator) -> None:
    """Writes random models.

    Args:
        path: the directory.
        dim: size of the vectors.
        random: source of random numbers.
    """
    path.mkdir(parents=True)
    words = "".join(f"w{number}\n" for number in range(NUM_WORDS))
    write_text(path / "words.txt", words)
    write_text(path / TOKENS, "[START]\n" + words)
    save_array(path / "idf.npy", np.log(1 + np.arange(1, NUM_WORDS + 1)))
    save_array(path / "rotation.npy", np.eye(dim, dtype=np.float32))
    save_array(path / "caption-bank.npy", draw_vectors(200, dim, random))
    joint = dim // 2
    sizes = {"embedding": (NUM_WORDS + 3, dim), "weight": (NUM_WORDS + 3,)}
    sizes |= {"hidden-kernel": (dim, joint), "linear-kernel": (dim, joint)}
    sizes |= {"output-kernel": (joint, joint)}
    for name in ARRAYS:
        array = random.standard_normal((2, *sizes.get(name, (joint,))), np.float32)
        save_array(path / f"text-{name}.npy", array)


def measure_queries(index: SearchIndex) -> dict[str, float]:
    """Measures each ranking, and checks that the vectors' one is exact.

    Args:
        index: the index.
    """
    random, data = np.random.default_rng(1), index.data
    dim = data.leading.shape[1] + data.trailing.shape[1]
    captions = [next(draw_captions(1, random)) for _ in range(NUM_QUERIES)]
    rows = random.integers(len(data), size=NUM_QUERIES)
    vectors = data.vectors(rows) + QUERY_NOISE * draw_vectors(NUM_QUERIES, dim, random)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    bias = -data.hubness

    def by_product(vector):
        split = data.leading.shape[1]
        scores = data.leading @ vector[:split] + data.trailing @ vector[split:] + bias
        return best_positions(scores, 10)

    found = [nearest_rows(data, vector, bias, 10)[0] for vector in vectors]
    expected = [by_product(vector) for vector in vectors]
    assert all(map(np.array_equal, found, expected))
    by_vector = dict(zip(captions, vectors, strict=True))
    index.embed = by_vector.__getitem__  # the random text branch embeds nothing
    results = {
        "words": median_ms(lambda text: index.rank(text, "words"), captions),
        "embedding": median_ms(lambda text: index.rank(text, "embedding"), captions),
        "blend": median_ms(lambda text: index.rank(text, "blend"), captions),
        "full_product": median_ms(by_product, vectors),
        "long_query": median_ms(
            lambda text: index.rank(text, "words"),
            [" ".join(f"w{n}" for n in range(NUM_WORDS)) + " zebra" * 7000] * 3,
        ),
    }
    status = Path("/proc/self/status").read_text()
    anonymous = status.partition("RssAnon:")[2].split()[0]
    return results | {"anonymous_mib": int(anonymous) / 1024} | engines(data, vectors)


def measure_addition(path: Path, dim: int) -> float:
    """Returns the seconds to add 1 % to a copy of an index, without captioning.

    Args:
        path: the directory of the index.
        dim: size of its vectors.
    """
    import kerasgan.captioning.hubness  # noqa: F401, takes seconds

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        copy = shutil.copytree(path, Path(folder) / "copy")
        manifest = read_manifest(copy)
        header = {name: manifest[name] for name in ("models", "decoding", "dim")}
        journal, old = Journal(copy, header), IndexData.open(copy / manifest["data"])
        append_rows(journal, len(old) // 100, dim, np.random.default_rng(2))
        rows = np.arange(len(old)), journal, np.arange(journal.num_rows)
        start = time.perf_counter()
        publish(copy, manifest, old, *rows)
        return round(time.perf_counter() - start, 2)


def engines(data: object, vectors: np.ndarray) -> dict[str, float]:
    """Measures the exact search of FAISS, if it is installed.

    Args:
        data: the images.
        vectors: the queries.
    """
    try:
        import faiss
    except ImportError:
        return {}
    flat = faiss.IndexFlatIP(vectors.shape[1])
    for start in range(0, len(data), CHUNK_SIZE):
        flat.add(data.vectors(slice(start, start + CHUNK_SIZE)))
    return {"faiss_flat": median_ms(lambda v: flat.search(v[None], 10), vectors)}


def median_ms(function: Callable, queries: list) -> float:
    """Returns the median milliseconds of a call, after one round for warming up.

    Args:
        function: called with each query.
        queries: the queries.
    """
    seconds = []
    for _ in range(2):
        for query in queries:
            start = time.perf_counter()
            function(query)
            seconds.append(time.perf_counter() - start)
    return round(1000 * statistics.median(seconds[len(queries) :]), 1)


def measure_shell(path: Path, by: str) -> float:
    """Returns the median seconds of `kerasgan search` from the shell.

    Args:
        path: the directory of an index.
        by: the ranking.
    """
    command = [sys.executable, "-m", "kerasgan", "search", str(path), "w5 w90"]
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([*command, "--by", by], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds), 2)


if __name__ == "__main__":
    main()
