"""The benchmark: how fast kerasgan is, beside other code and the machine's limits.

    python tools/bench.py --sections gan,input --rounds 7 --out bench.json

Sections: the adversarial step (gan), reading of images (input), training from the disk
(streaming), what --deterministic costs (determinism), the classifier, captions, the
start of each command (startup), and limits.
Each row runs in a process of its own. They take turns, so that other load on the
machine slows all of them; while one is timed, the others wait. Prints for each section
medians and quartiles over the rounds, and how many times as fast kerasgan is as each
row, as the median of ratios within a round. --out has all values.

PyTorch is needed for its rows alone, which are skipped without it. It may be installed
for another interpreter (--torch-python), with numpy and Pillow.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.rounds import run_section
from benchmarks.sections import SECTIONS
from benchmarks.table import format_section, summarize

from kerasgan.files import write_json
from kerasgan.runs.environment import git_commit, package_versions


def parse_arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--sections",
        default=",".join(SECTIONS),
        help="Comma-separated.  [default: %(default)s]",
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, help="JSON with all values.")
    parser.add_argument("--images", help="Folder of JPEG files for the section input.")
    parser.add_argument("--run", help="Run of train-gan for the section captions.")
    parser.add_argument(
        "--torch-python", default=sys.executable, help="Interpreter with PyTorch."
    )
    parser.add_argument(
        "--tiny", action="store_true", help="Small sizes: does everything run?"
    )
    arguments = parser.parse_args()
    arguments.sections = arguments.sections.split(",")
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(
            f"--sections must be of {', '.join(SECTIONS)}."
            f" Received: {', '.join(sorted(unknown))}"
        )
    if arguments.rounds < 1:
        parser.error(f"--rounds must be at least 1. Received: {arguments.rounds}")
    return arguments


def describe_machine() -> dict[str, object]:
    """Returns processor, cores, GPUs and versions."""
    processor = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2] for line in lines if "model name" in line]
        processor = names[0].strip() if names else processor
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "gpus": gpu_names(),
        "load_before": os.getloadavg()[0],
        "versions": package_versions(),
        "commit": git_commit(),
    }


def gpu_names() -> list[str]:
    """Returns the names of NVIDIA's GPUs."""
    if not shutil.which("nvidia-smi"):
        return []
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()


def main() -> int:
    """Runs the sections; the status is 1 if a row failed."""
    arguments = parse_arguments()
    report = {"machine": describe_machine(), "rounds": arguments.rounds, "sections": {}}
    print(report["machine"], flush=True)
    with tempfile.TemporaryDirectory(prefix="kerasgan-bench-") as scratch:
        options = {
            "scratch": scratch,
            "tiny": arguments.tiny,
            "images": arguments.images and os.path.abspath(arguments.images),
            "run": arguments.run and os.path.abspath(arguments.run),
        }
        for name in arguments.sections:
            rows = run_section(
                SECTIONS[name],
                options,
                arguments.rounds,
                arguments.torch_python,
                say=lambda line: print(line, file=sys.stderr, flush=True),
            )
            summary = report["sections"][name] = summarize(SECTIONS[name], rows)
            print(f"\n{format_section(summary)}\n", flush=True)
            if arguments.out:
                write_json(arguments.out, report)
    rows = [
        row for part in report["sections"].values() for row in part["rows"].values()
    ]
    return int(any("failed" in row for row in rows))


if __name__ == "__main__":
    sys.exit(main())
