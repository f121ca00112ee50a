"""Trainings that are asked to be deterministic give the same weights bit for bit."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

import kerasgan
from kerasgan.config.settings import CaptionsConfig, Settings, TrainingConfig
from kerasgan.errors import UserError
from kerasgan.files import load_arrays
from kerasgan.runs import new_run, open_run
from kerasgan.training.determinism import use_determinism

DETERMINISTIC = TrainingConfig(deterministic=True)


@pytest.mark.parametrize(
    ("stage", "names"),
    [
        ("images", ["training.minutes="]),
        ("classifier", ["classifier.minutes="]),
        ("captions", ["captions.likelihood_minutes=", "dual_encoder_minutes="]),
    ],
)
def test_time_limits_are_rejected(stage, names):
    with pytest.raises(UserError, match="the clock does not end") as error:
        use_determinism(Settings(training=DETERMINISTIC), stage)
    assert all(name in str(error.value) for name in names)
    use_determinism(Settings(), stage)  # which asks for nothing


def test_only_limits_of_the_stage_matter(monkeypatch):
    called = []
    name = "tensorflow.config.experimental.enable_op_determinism"
    monkeypatch.setattr(name, lambda: called.append(True))
    limits = dict.fromkeys(("dual_encoder", "likelihood", "adversarial"))
    captions = CaptionsConfig(**{f"{name}_minutes": None for name in limits})
    use_determinism(Settings(training=DETERMINISTIC, captions=captions), "captions")
    assert called == [True]


def train_twice(settings: Settings, folder) -> None:
    """Trains, and continues a copy that was stopped after an epoch."""
    whole = new_run("train-gan", settings, folder / "whole")
    kerasgan.train_gan(settings, whole, progress=False)
    stopped = folder / "stopped"
    shutil.copytree(whole.path, stopped)
    shutil.rmtree(stopped / "models")
    (stopped / "models").mkdir()
    (stopped / "checkpoints" / "epoch-000002.npz").unlink()
    kerasgan.train_gan(settings, open_run(stopped), progress=False)
    # Networks, moving average, optimizers and the state of random numbers.
    one, other = (
        load_arrays(path / "checkpoints" / "epoch-000002.npz")
        for path in (whole.path, stopped)
    )
    assert len(one) > 30
    for name, other_name in zip(one, other, strict=True):  # Keras numbers names anew
        if name != "seconds":
            np.testing.assert_array_equal(one[name], other[other_name], name)


def test_a_training_that_was_stopped_equals_one_that_was_not(tiny, tmp_path):
    """In a process of its own: determinism is for all that follows."""
    training = tiny.training.model_copy(
        update={"deterministic": True, "minutes": None, "epochs": 2}
    )
    settings = tiny.model_copy(update={"training": training})
    script = (
        "import pathlib, sys\n"
        "from kerasgan.config.settings import Settings\n"
        "from tests.training.test_determinism import train_twice\n"
        "settings = Settings.model_validate_json(sys.argv[1])\n"
        "train_twice(settings, pathlib.Path(sys.argv[2]))\n"
    )
    command = [sys.executable, "-c", script, settings.model_dump_json(), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
