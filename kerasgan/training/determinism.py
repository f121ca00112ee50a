"""Trainings that give the same weights bit for bit."""

import keras
import tensorflow as tf

from kerasgan.config.settings import Settings
from kerasgan.errors import UserError

LIMITS = {  # settings that end a stage by the clock
    "images": ["training.minutes"],
    "captions": [
        "captions.dual_encoder_minutes",
        "captions.likelihood_minutes",
        "captions.adversarial_minutes",
    ],
    "classifier": ["classifier.minutes"],
}


def use_determinism(settings: Settings, stage: str) -> None:
    """Makes all operations from now on deterministic, if the settings ask for it.

    Data sets then run their random functions in order, and a GPU only has the
    operations that always give the same result. Seed, machine, number of threads and
    versions have to be the same as well.

    Args:
        settings: with `training.deterministic` and `training.seed`.
        stage: a key of `LIMITS`.

    Raises:
        UserError: the stage has a time limit.
    """
    if not settings.training.deterministic:
        return
    limits = {name: _value(settings, name) for name in LIMITS[stage]}
    received = [f"{name}={value}" for name, value in limits.items() if value]
    if received:
        raise UserError(
            "training.deterministic needs a training that the clock does not end. Set"
            f" to null, and limit the epochs: {', '.join(LIMITS[stage])}. Received:"
            f" {', '.join(received)}"
        )
    keras.utils.set_random_seed(settings.training.seed)
    tf.config.experimental.enable_op_determinism()


def _value(settings, name):
    section, key = name.split(".")
    return getattr(getattr(settings, section), key)
