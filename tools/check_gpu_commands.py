"""Runs the commands on small data, on the device that they choose."""

import subprocess
import sys
import time
from pathlib import Path

IMAGES = 400  # of the embedded data set
SETTINGS = [
    f"--set=data.num_images={IMAGES}",
    *("--set=training.minutes=0.2", "--set=captions.dual_encoder_minutes=0.1"),
    "--set=captions.likelihood_minutes=0.2",
    "--set=captions.adversarial_minutes=0.1",
]
COMMANDS = {  # from a folder
    "train-gan": ["train-gan", "--run-dir=gan", "--data-dir=data", *SETTINGS],
    "save-imgs": ["save-imgs", "gan", "--caption=a red cat", "--out=images.png"],
    "caption": ["caption", "gan", "gan/images", "--out=captions.jsonl"],
    "export": ["export", "gan", "--out=exported"],
    "train-classifier": [
        *("train-classifier", "--run-dir=classifier", "--data-dir=data"),
        *(f"--set=data.num_images={IMAGES}", "--set=classifier.minutes=0.1"),
    ],
    "classify": ["classify", "classifier", "gan/images", "--out=classes.jsonl"],
}


def run_commands(folder: Path, device: str) -> dict[str, dict]:
    """Runs each command in a process of its own, as a user would.

    Args:
        folder: an empty one, for runs and results.
        device: `"auto"` or `"cpu"`, for the training commands.

    Returns:
        For each command `passed`, `seconds`, and the end of what it printed if it
        failed. A command after one that failed is tried all the same.
    """
    results = {}
    for name, arguments in COMMANDS.items():
        options = [f"--device={device}"] if name.startswith("train") else []
        start = time.perf_counter()
        process = subprocess.run(
            [sys.executable, "-m", "kerasgan", *arguments, *options],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        results[name] = {
            "passed": process.returncode == 0,
            "seconds": round(time.perf_counter() - start, 1),
        }
        if process.returncode:
            results[name]["error"] = process.stderr[-500:]
    return results
