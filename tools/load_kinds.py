"""The loads of `tools/load.py`: each is a process that repeats something.

Runs that are only used have tiny networks with random weights.
"""

import contextlib
import http.client
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
KERASGAN = [sys.executable, "-m", "kerasgan"]
POLL_SECONDS = 0.2
NUM_DRAWN = 200  # scenes of the training, for short epochs
INDEX_SIZE = 10_000  # images
NUM_SERVED = 20  # images of the index of the page
IMAGES_A_FOLDER = 1000
SEARCHES_A_LINE = 50  # searches between two lines of the process that searches
WORDS = ("red", "blue", "dog", "boat", "runs", "beach")
RANKINGS = ("words", "embedding", "blend")
SEARCH = "import sys, load_kinds; load_kinds.search(sys.argv[1], int(sys.argv[2]))"
SERVER_SECONDS = 120  # until it answers

Load = tuple[subprocess.Popen, Callable[[], int]]  # a process, and its progress


@contextlib.contextmanager
def started(command: list, folder: Path, **pipes: int) -> Iterator[subprocess.Popen]:
    """Starts a process, whose output goes to `log`, and ends it at last."""
    paths = str(ROOT / "tools"), str(ROOT), os.environ.get("PYTHONPATH")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with open(folder / "log", "w") as log:
        pipes = {"stdout": log, "stderr": log} | pipes
        process = subprocess.Popen(list(map(str, command)), env=environment, **pipes)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


class LineCounter:
    """Counts the lines of a file that grows; waits a little before each count."""

    def __init__(self, path: Path):
        self.path, self.position, self.count = path, 0, 0

    def __call__(self) -> int:
        """Returns the number of lines so far."""
        time.sleep(POLL_SECONDS)
        with contextlib.suppress(FileNotFoundError), open(self.path, "rb") as file:
            file.seek(self.position)
            new = file.read()
            self.position += len(new)
            self.count += new.count(b"\n")
        return self.count


@contextlib.contextmanager
def training(folder: Path, count: int) -> Iterator[Load]:
    """Trains the images of the embedded recipe in short epochs."""
    run = folder / "run"
    command = [*KERASGAN, "train-gan", "--stage=images", "--epochs", count]
    command += ["--set", f"data.num_images={NUM_DRAWN}", "--run-dir", run]
    command += ["--data-dir", folder / "data"]
    with started(command, folder) as process:
        yield process, LineCounter(run / "metrics.jsonl")


@contextlib.contextmanager
def searches(folder: Path, count: int) -> Iterator[Load]:
    """Searches an index again and again in one process."""
    from tests.search.makers import make_index, unit_vectors

    captions = [
        " ".join(random.Random(n).choices(WORDS, k=5)) for n in range(INDEX_SIZE)
    ]
    make_index(folder / "index", captions, unit_vectors(INDEX_SIZE))
    command = [sys.executable, "-c", SEARCH, folder / "index", count]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with started(command, folder, **pipes) as process:
        yield process, lambda: int(process.stdout.readline() or 0)


def search(path: str, count: int) -> None:
    """Searches; prints how often so far, and waits at the end to be looked at.

    Args:
        path: of the index.
        count: number of searches.
    """
    from kerasgan.search.search_index import SearchIndex

    index, choices = SearchIndex(Path(path)), random.Random(0)
    for number in range(1, count + 1):
        text = " ".join(choices.choices(WORDS, k=3))
        index.results(*index.rank(text, RANKINGS[number % len(RANKINGS)]))
        if number % SEARCHES_A_LINE == 0 or number == count:
            print(number, flush=True)
    sys.stdin.read()


@contextlib.contextmanager
def requests(folder: Path, count: int) -> Iterator[Load]:
    """Asks the page of `kerasgan serve` for everything that it can do, in turn."""
    from kerasgan.runs.model_files import models_digest
    from tests.data.makers import write_images
    from tests.export.makers import make_run
    from tests.search.makers import make_index

    run = make_run(folder / "gan")
    names = [f"{number}.jpg" for number in range(NUM_SERVED)]
    write_images(folder / "in", names)
    make_index(
        folder / "index",
        [f"a {WORDS[n % len(WORDS)]} dog" for n in range(len(names))],
        names=[str(folder / "in" / name) for name in names],
        run=str(run.path),
        models=models_digest(run.models),
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*KERASGAN, "serve", run.path, folder / "index", "--port", port]
    with started(command, folder) as process:
        yield process, Client(port, (folder / "in" / names[0]).read_bytes()).ask


class Client:
    """Asks a served page.

    Args:
        port: of the server on this machine, which may still have to start.
        image: content of an image file that is described.
    """

    def __init__(self, port: int, image: bytes):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.image, self.count = image, 0
        end = time.monotonic() + SERVER_SECONDS
        while True:
            try:
                self.connection.connect()
                return
            except ConnectionRefusedError:
                if time.monotonic() > end:
                    raise
                time.sleep(POLL_SECONDS)

    def ask(self) -> int:
        """Sends the next request, and returns how many were answered.

        Raises:
            RuntimeError: the answer is an error.
        """
        number, word = self.count, WORDS[self.count % len(WORDS)]
        kinds = (
            ("GET", "/", None, {}),
            ("GET", f"/search?query={word}", None, {}),
            ("GET", f"/similar/{number % NUM_SERVED}", None, {}),
            ("GET", f"/images/{number % NUM_SERVED}", None, {}),
            ("POST", "/draw", *_form(caption=f"a {word} dog", seed=str(number))),
            ("POST", "/describe", *_upload(self.image)),
        )
        method, path, body, headers = kinds[number % len(kinds)]
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {text[:200]!r}")
        self.count += 1
        return self.count


def _form(**fields):
    body = "&".join(f"{name}={quote(value)}" for name, value in fields.items())
    return body, {"Content-Type": "application/x-www-form-urlencoded"}


def _upload(data):
    head = 'Content-Disposition: form-data; name="image"; filename="a.jpg"'
    body = b"--x\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n--x--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


@contextlib.contextmanager
def inference(folder: Path, count: int) -> Iterator[Load]:
    """Captions drawn images with `kerasgan caption`."""
    from tests.data.makers import encoded, pixels
    from tests.export.makers import make_run

    run, images = make_run(folder / "gan"), folder / "images"
    for number in range(count):
        path = images / str(number // IMAGES_A_FOLDER) / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(pixels(number, 32, 32)))
    out = folder / "captions.jsonl"
    command = [*KERASGAN, "caption", run.path, images, "--out", out]
    with started(command, folder) as process:
        yield process, LineCounter(out.with_name(f"{out.name}.partial"))


LOADS = {
    "training": training,
    "searches": searches,
    "requests": requests,
    "inference": inference,
}
