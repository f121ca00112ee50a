import json
import os
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan.config.settings import Settings
from kerasgan.data import load_data
from kerasgan.errors import JobError, UserError
from kerasgan.gan.gan_diagnostics import PATIENCE, GanDiagnostics
from kerasgan.runs import new_run, open_run
from tests.helpers import opened


def changed(settings, **values):
    tree = settings.model_dump()
    for name, value in values.items():
        section, key = name.split("__")
        tree[section][key] = value
    return Settings(**tree)


def weights_of(run):
    image_generator = kerasgan.load_gan(run.path)
    return (
        image_generator.generator.get_weights()
        + image_generator.counterpart.get_weights()
    )


def train(settings, path, resume=False):
    run = open_run(path) if resume else new_run("train-gan", settings, path)
    kerasgan.train_gan(settings, run, progress=False)
    return run


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """A run of three epochs."""
    keras.utils.set_random_seed(0)
    settings = changed(tiny, training__epochs=3, gan__augmentation=None)
    return train(settings, tmp_path_factory.mktemp("runs") / "run")


def test_one_epoch_from_the_disk_and_one_more_are_two(tiny, tmp_path):
    settings = changed(tiny, gan__conditional=False)
    whole = train(settings, tmp_path / "whole")
    first = changed(settings, training__epochs=1, data__keep_in_memory="never")
    train(first, tmp_path / "resumed")
    resumed = train(settings, tmp_path / "resumed", resume=True)
    for a, b in zip(weights_of(whole), weights_of(resumed), strict=True):
        # Sums over two threads are not always rounded alike.
        np.testing.assert_allclose(a, b, atol=1e-6)
    drop = ("seconds", "images_per_second")
    lines = [
        [{k: v for k, v in line.items() if k not in drop} for line in run.metrics]
        for run in (whole, resumed)
    ]
    for one, other in zip(*lines, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_the_epoch_with_the_best_kid_is_saved(tiny, tmp_path, monkeypatch):
    def pixels(images, backbone, scale):
        return images.reshape(len(images), -1).astype("float32")

    def with_kids(settings, name, kids, resume=False):
        values = iter(kids)
        metric = "kerasgan.training.callbacks.image_kid.kernel_inception_distance"
        monkeypatch.setattr(metric, lambda real, generated: (next(values), 0.0))
        return train(settings, tmp_path / name, resume)

    monkeypatch.setattr("kerasgan.gan.train_gan.pooled_features", pixels)
    given = {"data__num_images": 80, "gan__validation": 0.5, "gan__conditional": False}
    one, two = (changed(tiny, **given, training__epochs=n) for n in (1, 2))
    first = with_kids(one, "first", [2.0])
    assert first.metrics[0]["kid"] == 2 and first.data["train"] == 64
    whole = with_kids(two, "whole", [2.0, 3.0])
    shutil.copytree(tmp_path / "first", tmp_path / "resumed")
    resumed = with_kids(two, "resumed", [3.0], resume=True)
    assert [line["kid"] for line in resumed.metrics] == [2, 3]
    for run in (whole, resumed):
        for a, b in zip(weights_of(first), weights_of(run), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_weights_that_come_or_go_do_not_stop_a_run(tiny, tmp_path, monkeypatch):
    given = {"data__num_images": 80, "gan__validation": 0.5, "gan__conditional": False}
    one, two = (changed(tiny, **given, training__epochs=n) for n in (1, 2))
    module = "kerasgan.gan.gan_settings"
    with monkeypatch.context() as without:
        without.setattr(f"{module}.is_installed", lambda name: False)
        run = train(one, tmp_path / "run")
    assert run.chosen["gan.validation"] == 0 and not run.weights
    run = train(two, tmp_path / "run", resume=True)
    assert len(run.metrics) == 2 and "kid" not in run.metrics[1]


def test_other_weights_are_refused(tiny, tmp_path, monkeypatch):
    given = {"data__num_images": 80, "gan__validation": 0.5, "gan__conditional": False}
    one, two = (changed(tiny, **given, training__epochs=n) for n in (1, 2))
    run = train(one, tmp_path / "run")
    assert list(run.weights) == ["efficientnet-lite0"]
    monkeypatch.setattr(
        "kerasgan.gan.gan_settings.weights_digest", lambda name: "other"
    )
    with pytest.raises(UserError, match="other weights of efficientnet-lite0"):
        train(two, tmp_path / "run", resume=True)


def test_files_of_a_run(trained, tiny):
    run = trained
    assert [line["epoch"] for line in run.metrics] == [1, 2, 3]
    for name in ("g_loss", "d_loss", "value", "d_real", "d_generated", "d_mismatched"):
        assert np.isfinite(run.metrics[0][name])
    assert run.metrics[1]["seconds"] > run.metrics[0]["seconds"] > 0
    assert run.metrics[0]["value"] <= 0
    assert run.data["train"] == len(run.data["train_ids"]) == 32
    assert run.settings == changed(tiny, training__epochs=3, gan__augmentation=None)
    assert run.chosen == {
        "gan.blur": 0.0,
        "gan.generator": "light",
        "gan.loss": "non-saturating",
        "gan.r1": 1.0,
        "training.beta_1": 0.5,
        "training.batch_size": 8,
        "training.learning_rate": 8e-4 * (8 / 32) ** 0.5,
        "gan.conditional": True,
        "gan.augmentation": ["color", "translation", "cutout"],
    }
    shown = load_data(tiny.data).test.captions
    assert run.captions == [group[0] for group in shown][:2]
    for name in ("reals.png", "epoch-0001.png", "epoch-0002.png"):
        assert opened(run.images / name).size[0] > 64
    assert list(run.tensorboard.iterdir())


def test_grids_show_training_captions_where_test_has_none(tiny, tmp_path, monkeypatch):
    pairs = load_data(tiny.data)
    for group in [*pairs.test.captions, pairs.train.captions[0]]:
        group.clear()
    name = "kerasgan.gan.train_gan.load_data"
    monkeypatch.setattr(name, lambda *args, **kwargs: pairs)
    run = train(changed(tiny, training__epochs=1), tmp_path / "run")
    assert run.captions == [group[0] for group in pairs.train.captions[1:3]]
    assert (run.images / "epoch-0001.png").is_file()


def test_grayscale_without_captions(tiny, tmp_path):
    given = {"gan__conditional": False, "gan__augmentation": ["cutout"]}
    settings = changed(tiny, gan__channels="grayscale", training__epochs=1, **given)
    run = train(settings, tmp_path / "run")
    assert run.chosen["gan.conditional"] is False
    assert run.chosen["gan.augmentation"] == ["cutout"]
    with pytest.raises(UserError, match="captions.json does not exist"):
        _ = run.captions
    image_generator = kerasgan.load_gan(run.path)
    assert image_generator.generate(count=3).shape == (3, 32, 32, 1)
    with pytest.raises(UserError, match="without captions"):
        image_generator.generate(["a red boat"])


@pytest.mark.parametrize("has_critic", [False, True])
def test_a_winning_discriminator_is_reported(capsys, has_critic):
    diagnostics = GanDiagnostics(has_critic=has_critic)
    for epoch in range(PATIENCE):
        assert not capsys.readouterr().err
        diagnostics.on_epoch_end(epoch, {"d_real": 1.0, "d_generated": 0.995})
    assert ("The discriminator has classified" in capsys.readouterr().err) != has_critic
    diagnostics.on_epoch_end(PATIENCE, {"d_real": 1.0, "d_generated": 0.5})
    assert not capsys.readouterr().err


def test_similar_images_are_reported(capsys):
    logs = {"d_real": 0.5, "d_generated": 0.5, "diversity": 0.1}
    GanDiagnostics().on_epoch_end(0, logs)
    assert "0.10 times as much" in capsys.readouterr().err


def test_images_follow_captions_noise_and_seed(trained, tmp_path):
    image_generator = kerasgan.load_gan(trained.path)
    captions = ["a red boat", "", "Ünknown wörds — 木"]
    images = image_generator.generate(captions, seed=1)
    assert images.shape == (3, 32, 32, 3) and images.dtype == np.uint8
    np.testing.assert_array_equal(images, image_generator.generate(captions, seed=1))
    assert (images != image_generator.generate(captions, seed=2)).any()
    strip = image_generator.interpolate("a red boat", "a house", 4)
    assert strip.shape == (4, 32, 32, 3)
    path = kerasgan.save_imgs(
        image_generator, tmp_path / "new" / "grid.png", captions, columns=2
    )
    assert opened(path).format == "PNG"
    with pytest.raises(UserError, match="--caption"):
        image_generator.generate(count=2)


def test_a_time_limit_stops_and_saves(tiny, tmp_path):
    settings = changed(tiny, training__epochs=500, training__minutes=1e-3)
    run = train(settings, tmp_path / "run")
    assert len(run.metrics) == 1
    assert kerasgan.load_gan(run.path).conditional


def test_an_image_size_that_is_no_power_of_two_is_rejected_first(
    tiny, tmp_path, monkeypatch
):
    monkeypatch.setattr("kerasgan.gan.train_gan.load_data", pytest.fail)
    with pytest.raises(UserError, match="power of two.*data.image_size=48"):
        train(changed(tiny, data__image_size=48), tmp_path / "run")


def test_resumes_after_kill(trained, tmp_path):
    """A run that is killed in the middle continues to the same weights."""
    settings = trained.settings
    script = (
        "import sys, kerasgan; from kerasgan.runs import new_run;"
        "settings = kerasgan.Settings.model_validate_json(sys.argv[1]);"
        "run = new_run('train-gan', settings, sys.argv[2]);"
        "kerasgan.train_gan(settings, run, progress=False)"
    )
    path = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", script, settings.model_dump_json(), path]
    )
    while process.poll() is None and not list(path.glob("checkpoints/epoch-*1.npz")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not list(path.glob("checkpoints/epoch-*3.npz"))
    resumed = train(settings, path, resume=True)
    assert [line["epoch"] for line in resumed.metrics] == [1, 2, 3]
    for a, b in zip(weights_of(trained), weights_of(resumed), strict=True):
        # Sums over two threads are not always rounded alike, and Adam divides small
        # gradients by their size. Other batches differ by more than .01.
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_other_settings_are_rejected(tiny, tmp_path):
    run = new_run("train-gan", tiny, tmp_path / "run")
    with pytest.raises(UserError, match="gan.r1: None in the run, 9.0 now"):
        kerasgan.train_gan(changed(tiny, gan__r1=9.0), run, progress=False)
    assert run.settings == tiny


def test_bfloat16_runs_generate(tiny, tmp_path):
    settings = changed(tiny, training__precision="mixed_bfloat16", training__epochs=1)
    run = train(settings, tmp_path / "run")
    assert keras.config.dtype_policy().name == "float32"
    images = kerasgan.load_gan(run.path).generate(["a red boat"])
    assert images.shape == (1, 32, 32, 3)


def test_a_loss_that_is_not_finite_stops_training(tiny, tmp_path):
    settings = changed(
        tiny, training__learning_rate=1e30, training__epochs=9, gan__loss="hinge"
    )
    with pytest.raises(JobError, match="not finite: "):
        train(settings, tmp_path / "run")


def test_networks_that_are_not_finite_are_not_saved(tiny, tmp_path, monkeypatch):
    def interrupt(gan, *_):
        weight = gan.image_generator().counterpart.trainable_variables[0]
        weight.assign(weight * np.nan)
        raise KeyboardInterrupt  # before the loss is checked

    monkeypatch.setattr("kerasgan.gan.train_gan._fit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(tiny, tmp_path / "run")
    assert not list((tmp_path / "run").rglob("*.keras"))


def test_a_damaged_run_is_an_error(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    (run.path / "options.json").write_text("{")
    with pytest.raises(UserError, match="options.json is damaged"):
        kerasgan.load_gan(run.path)
    (run.path / "options.json").write_text(json.dumps({"command": "other"}))
    with pytest.raises(UserError, match="not of train-gan"):
        kerasgan.load_gan(run.path)
