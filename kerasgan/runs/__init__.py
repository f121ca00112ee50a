"""Run directories: what a training leaves behind, and how it is read again.

options.json     all settings, resolved options, versions and the git commit
data.json        what was read and how it was split
metrics.jsonl    a line for each epoch of the images stage
captions.jsonl   a line for each epoch of the captions stage
images/          image grids, and the captions that they show
checkpoints/     what `--resume` continues from
models/          *.keras and vocabularies
results/         one JSON file for each evaluation
tensorboard/     the metrics of metrics.jsonl, and the image grids
"""

from kerasgan.runs.directories import latest_run, new_run, open_run, training_run
from kerasgan.runs.run import Run
from kerasgan.runs.run_data import require_same_data

__all__ = [
    "Run",
    "latest_run",
    "new_run",
    "open_run",
    "require_same_data",
    "training_run",
]
