"""Reads damaged files with every reader of the package.

    python tools/fuzz.py --minutes 10
    python tools/fuzz.py --targets csv,coco --cases 5000 --seed 1 --out fuzz.json
    python tools/fuzz.py --replay fuzz-failures/csv-0123456789ab.json
    python tools/fuzz.py --targets csv --coverage       # needs atheris

A case is a valid source that the package or a writer here has made, with one file
damaged (`fuzz_mutations.py`). It is read, or refused with an error of the package.
Everything else fails: another exception, more than 10 seconds of the processor (or 300
on the clock), more than 2 GiB, a file that is opened or listed outside the source, a
process or a connection. Files that TensorFlow and Arrow open by themselves are not
seen. Seed and number of a case determine it. Speeds count seconds of the processor.

With `--coverage` atheris chooses the content of the file instead, by the lines that are
reached, until it is stopped.
"""

import argparse
import base64
import fnmatch
import hashlib
import json
import os
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `tests`

if "--coverage" in sys.argv:  # before the package is imported
    import atheris

    atheris.instrument_imports(include=["kerasgan"]).__enter__()

import fuzz_mutations
from fuzz_datasets import DATASETS, Target, image_bytes
from fuzz_files import FILES
from fuzz_models import MODELS
from fuzz_values import NASTY_VALUES, draw_values
from fuzz_watch import MAX_MEMORY, Failure, Watch

from kerasgan.errors import JobError, UserError

TARGETS: dict[str, Target] = DATASETS | FILES | MODELS
REFUSALS = (UserError, JobError)


class Source:
    """A target's valid source, one of whose files is damaged and restored.

    Args:
        name: of the target.
        root: an empty folder, which gets the source and a file outside of it.
    """

    def __init__(self, name: str, root: Path):
        self.name, self.target = name, TARGETS[name]
        self.folder = root / name / "source"
        self.folder.mkdir(parents=True)
        (root / name / "outside.jpg").write_bytes(image_bytes())
        self.target.write(self.folder)
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        self.files = {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in files
            if any(fnmatch.fnmatch(path.name, p) for p in self.target.damaged)
        }
        self.target.read(self.folder)  # the valid source is read

    def read(self, watch: Watch, file: str, data: bytes) -> str | None:
        """Reads the source with another content of a file.

        Args:
            watch: stops what is not allowed.
            file: name of the file.
            data: its content.

        Returns:
            "read", "refused", or a description of the failure.
        """
        path = self.folder / file
        path.write_bytes(data)
        try:
            with watch.case():
                self.target.read(self.folder)
            return "read"
        except REFUSALS:
            return "refused"
        except (Exception, SystemExit) as error:
            return describe(error)
        finally:
            path.write_bytes(self.files[file])


def describe(error: BaseException) -> str:
    """Returns an error with the place in the package where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if "/kerasgan/" in frame.filename]
    place = (inside or frames)[-1]
    name = place.filename.rpartition("/kerasgan/")[2]
    return f"{type(error).__name__} at {name}:{place.lineno}: {str(error)[:150]}"


def fuzz(source: Source, watch: Watch, seed: int, cases: int, until: float) -> dict:
    """Reads damaged sources.

    Args:
        source: the valid source.
        watch: stops what is not allowed.
        seed: of all cases.
        cases: how many at most.
        until: time at which no further case begins.

    Returns:
        Counts, seconds of the processor, and an input for each kind of failure.
    """
    counts: Counter = Counter()
    failures: dict[str, dict] = {}
    start, names = time.process_time(), list(source.files)
    for number in range(cases):
        if time.monotonic() > until:
            break
        choices = random.Random(f"{seed} {source.name} {number}")
        file = choices.choice(names)
        data = fuzz_mutations.mutate(choices, file, source.files[file])
        result = source.read(watch, file, data)
        counts[result if result in ("read", "refused") else "failed"] += 1
        if result not in ("read", "refused"):
            kind = result.partition(": ")[0]
            found = {"target": source.name, "file": file, "error": result}
            found |= {"case": number, "data": base64.b64encode(data).decode()}
            failures.setdefault(kind, found | {"count": 0})["count"] += 1
    return {
        "cases": sum(counts.values()),
        **{name: counts[name] for name in ("read", "refused", "failed")},
        "seconds": round(time.process_time() - start, 3),
        "failures": list(failures.values()),
    }


def campaign(names, options: argparse.Namespace, root: Path) -> dict:
    """Fuzzes several targets and prints a line for each.

    Args:
        names: of the targets.
        options: of the command line; failing inputs are written to `failures`.
        root: an empty folder for the sources.

    Returns:
        The results by target.
    """
    watch, results = Watch(root), {}
    seed, minutes = options.seed, options.minutes
    cases = options.cases or (sys.maxsize if minutes else 1000)
    NASTY_VALUES.extend(draw_values(seed))
    soft = _virtual_memory() + 2 * MAX_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (soft, resource.RLIM_INFINITY))
    end = time.monotonic() + 60 * minutes if minutes else float("inf")
    print(f"{'target':<24}{'cases':>10}{'read':>10}{'refused':>10}{'failed':>8}  /s")
    for number, name in enumerate(names):
        source = Source(name, root)
        share = (end - time.monotonic()) / (len(names) - number)
        result = fuzz(source, watch, seed, cases, time.monotonic() + share)
        results[name] = result
        speed = result["cases"] / max(result["seconds"], 1e-3)
        figures = f"{result['cases']:>10,}{result['read']:>10,}{result['refused']:>10,}"
        print(f"{name:<24}{figures}{result['failed']:>8,}  {speed:,.0f}", flush=True)
        for failure in result["failures"]:
            print(f"    {failure['count']:,} × {failure['error']}", flush=True)
            save_failure(failure, options.failures)
    return results


def _virtual_memory():
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def save_failure(failure: dict, folder: Path) -> None:
    """Writes an input that failed, for `--replay`."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(failure["data"].encode()).hexdigest()[:12]
    path = folder / f"{failure['target']}-{digest}.json"
    path.write_text(json.dumps(failure, indent=1), encoding="utf-8")


def replay(path: Path, root: Path) -> str | None:
    """Reads a stored input again, and returns what happened."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    source = Source(stored["target"], root)
    data = base64.b64decode(stored["data"])
    return source.read(Watch(root), stored["file"], data)


def follow_coverage(name: str, root: Path) -> None:
    """Lets atheris choose the content of a target's first file, by coverage."""
    source, watch = Source(name, root), Watch(root)
    file, corpus = next(iter(source.files)), root / "corpus"
    corpus.mkdir()
    for number, data in enumerate(source.files.values()):
        (corpus / str(number)).write_bytes(data)

    def read(data):
        result = source.read(watch, file, data)
        if result not in ("read", "refused"):
            raise Failure(result)

    def change(data, max_size, seed):
        return fuzz_mutations.mutate(random.Random(seed), file, data)[:max_size]

    atheris.Setup([sys.argv[0], str(corpus)], read, custom_mutator=change)
    atheris.Fuzz()


def main() -> None:
    """Runs the campaign that the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--targets", help=f"of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--cases", type=int, help="of each target")
    parser.add_argument("--minutes", type=float, help="for all targets together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file with all counts")
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures"))
    parser.add_argument("--replay", type=Path, help="a file in --failures")
    parser.add_argument("--coverage", action="store_true", help="use atheris")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = options.targets.split(",") if options.targets else list(TARGETS)
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="kerasgan-fuzz-", dir=memory) as root:
        if options.replay:
            print(replay(options.replay, Path(root)))
            return
        if options.coverage:
            follow_coverage(names[0], Path(root))
            return
        results = campaign(names, options, Path(root))
    if options.out:
        options.out.write_text(json.dumps(results, indent=1), encoding="utf-8")
    sys.exit(any(result["failed"] for result in results.values()))


if __name__ == "__main__":
    main()
