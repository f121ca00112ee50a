import numpy as np
import pytest
import tensorflow as tf

from kerasgan.config.settings import (
    DataConfig,
    GanConfig,
    Settings,
    TrainingConfig,
)
from kerasgan.encoders import efficientnet_lite
from kerasgan.errors import UserError
from kerasgan.gan.gan_settings import DEFAULTS, choose_batch, resolve_gan_settings
from kerasgan.gan.pair_dataset import hold_out

PHOTOGRAPHS = DataConfig(dataset="flickr30k")


def test_the_default_is_a_projected_discriminator():
    settings, chosen = resolve_gan_settings(Settings(data=PHOTOGRAPHS))
    expected = {"gan.discriminator": "projected", "gan.encoder_image_size": 96}
    expected |= choose_batch(TrainingConfig())
    assert chosen == {**expected, **DEFAULTS["projected"]}
    assert settings.gan.loss == "hinge" and settings.training.beta_1 == 0
    assert resolve_gan_settings(settings) == (settings, {})


def test_drawn_images_are_blurred_at_first():
    settings, _ = resolve_gan_settings(Settings())
    assert settings.gan.discriminator == "projected" and settings.gan.blur > 0
    conv = Settings(gan=GanConfig(discriminator="conv"))
    assert resolve_gan_settings(conv)[0].gan.blur == 0


def test_given_values_are_kept():
    gan = GanConfig(discriminator="conv", r1=3.0, loss="hinge")
    settings, chosen = resolve_gan_settings(Settings(gan=gan))
    assert settings.gan.r1 == 3 and settings.gan.loss == "hinge"
    assert settings.gan.generator == "light" and "gan.r1" not in chosen


@pytest.mark.parametrize(
    "settings",
    [
        Settings(data=PHOTOGRAPHS, gan=GanConfig(loss="wasserstein-gp")),
        Settings(data=PHOTOGRAPHS, gan=GanConfig(spectral_normalization=True)),
        Settings(data=PHOTOGRAPHS, training=TrainingConfig(precision="mixed_bfloat16")),
    ],
)
def test_what_needs_conv_gets_it(settings):
    assert resolve_gan_settings(settings)[0].gan.discriminator == "conv"


def test_without_weights_the_default_is_conv(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "_module", lambda name: "not_a_package")
    settings = Settings(data=PHOTOGRAPHS)
    assert resolve_gan_settings(settings)[0].gan.discriminator == "conv"
    with pytest.raises(UserError, match="gan.discriminator=conv needs none"):
        resolve_gan_settings(Settings(gan=GanConfig(discriminator="projected")))


def test_images_are_held_out():
    rows, validation = hold_out(np.arange(1000), 0.05, seed=0)
    order = np.random.default_rng(0).permutation(1000)
    np.testing.assert_array_equal(validation, np.sort(order[:50]))
    np.testing.assert_array_equal(rows, np.sort(order[50:]))
    assert len(hold_out(np.arange(100_000), 0.05, seed=0)[1]) == 250
    for count, share in [(300, 0.05), (1000, 0)]:
        rows, validation = hold_out(np.arange(count), share, seed=0)
        assert len(validation) == 0
        np.testing.assert_array_equal(rows, np.arange(count))


def test_whole_groups_of_images_are_held_out():
    groups = np.repeat(np.arange(300), 3)
    rows, validation = hold_out(groups, 0.05, seed=0)
    assert (len(rows), len(validation)) == (855, 45)
    assert not set(groups[rows]) & set(groups[validation])


@pytest.mark.parametrize(
    ("options", "gpus", "batch_size", "rate"),
    [
        ({}, [], 32, 8e-4),
        ({}, ["/gpu:0"], 256, 8e-4 * 8**0.5),
        ({"device": "cpu"}, ["/gpu:0"], 32, 8e-4),
        ({"strategy": "tpu"}, [], 256, 8e-4 * 8**0.5),
        ({"batch_size": 128}, [], 128, 1.6e-3),
        ({"batch_size": 128, "learning_rate": 1e-4}, ["/gpu:0"], 128, 1e-4),
    ],
)
def test_batch_size_and_learning_rate_suit_the_device(
    monkeypatch, options, gpus, batch_size, rate
):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    settings, chosen = resolve_gan_settings(
        Settings(data=PHOTOGRAPHS, training=TrainingConfig(**options))
    )
    assert settings.training.batch_size == batch_size
    assert settings.training.learning_rate == pytest.approx(rate)
    assert not set(options) & {name.removeprefix("training.") for name in chosen}
