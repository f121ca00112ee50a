"""Keras callbacks; `kerasgan.callbacks` has the same."""

from kerasgan.training.callbacks.epoch_checkpoint import EpochCheckpoint
from kerasgan.training.callbacks.epoch_printer import EpochPrinter
from kerasgan.training.callbacks.image_grid import ImageGrid
from kerasgan.training.callbacks.image_kid import ImageKid
from kerasgan.training.callbacks.json_lines_logger import JsonLinesLogger
from kerasgan.training.callbacks.progress_bar import ProgressBar
from kerasgan.training.callbacks.stop_on_non_finite import StopOnNonFinite
from kerasgan.training.callbacks.time_limit import TimeLimit
from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay

__all__ = [
    "EpochCheckpoint",
    "EpochPrinter",
    "ImageGrid",
    "ImageKid",
    "JsonLinesLogger",
    "ProgressBar",
    "StopOnNonFinite",
    "TimeLimit",
    "TimedCosineDecay",
]
