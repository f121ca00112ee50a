"""The Keras callbacks of the package."""

from kerasgan.training.callbacks import (
    EpochCheckpoint,
    EpochPrinter,
    ImageGrid,
    ImageKid,
    JsonLinesLogger,
    ProgressBar,
    StopOnNonFinite,
    TimedCosineDecay,
    TimeLimit,
)

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
