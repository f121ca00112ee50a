import types
import unittest.mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.config.settings import GanConfig
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.gan import GAN, diversity_loss
from kerasgan.gan.generator import build_generator
from kerasgan.gan.losses import LOSSES

RANDOM = np.random.default_rng(0)
BATCH = {
    "image": RANDOM.integers(0, 256, (4, 8, 8, 3)).astype("uint8"),
    "token_ids": RANDOM.integers(2, 9, (4, 5)).astype("int32"),
}


def build(conditional=True, rates=(1e-3, 1e-3), **settings):
    batch_size = settings.pop("batch_size", 4)
    settings = GanConfig(**{"text_branch": "words", "r1_interval": 2, **settings})
    text = {"vocabulary_size": 9, "caption_length": 5, "text_dim": 6}
    generator = build_generator(8, 3, 4, 4, 4, text_dim=6 if conditional else None)
    settings = settings.model_copy(update={"latent_dim": 4})
    discriminator = build_discriminator(
        8,
        3,
        4,
        4,
        text_branch=settings.text_branch,
        spectral_normalization=settings.spectral_normalization,
        **(text if conditional else {}),
    )
    gan = GAN(generator, discriminator, settings, batch_size)
    gan.compile(*(keras.optimizers.SGD(rate) for rate in rates), run_eagerly=True)
    return gan


def weights(network):
    return [weight.numpy() for weight in network.trainable_variables]


def moved(before, after):
    return any((a != b).any() for a, b in zip(before, after))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("order", ["one-stage", "alternating"])
@pytest.mark.parametrize("conditional", [True, False])
def test_a_step_moves_both_networks(loss, order, conditional):
    gan = build(conditional, loss=loss, order=order)
    networks = (gan.generator, gan.discriminator, gan.ema_generator)
    before = [weights(network) for network in networks]
    figures = gan.train_step(BATCH)
    assert all(moved(b, weights(n)) for b, n in zip(before, networks))
    names = {"g_loss", "d_loss", "value", "d_real", "d_generated"}
    assert set(figures) == names | ({"d_mismatched"} if conditional else set())
    assert all(np.isfinite(figure).all() for figure in figures.values())


@pytest.mark.parametrize("loss", ["non-saturating", "wasserstein-gp"])
def test_value_is_what_d_maximises(loss):
    gan = build(False, loss=loss)
    gan._gradient_penalty = lambda *args: 0.0
    figures = gan.train_step(BATCH)
    assert float(figures["value"][0]) == pytest.approx(-float(figures["d_loss"][0]))


@pytest.mark.parametrize("order", ["one-stage", "alternating"])
def test_each_network_learns_from_its_own_loss_alone(order):
    generator_still = build(rates=(0.0, 1e-2), order=order)
    before = weights(generator_still.generator)
    generator_still.train_step(BATCH)
    assert not moved(before, weights(generator_still.generator))
    judge_still = build(rates=(1e-2, 0.0), order=order)
    before = weights(judge_still.discriminator)
    judge_still.train_step(BATCH)
    assert not moved(before, weights(judge_still.discriminator))


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
def test_one_stage_has_the_gradients_of_two_separate_steps(loss, conditional):
    """One shared pass and two passes over the same noise move both networks alike."""
    settings = {"loss": loss, "conditional": conditional, "r1": 0.0, "augmentation": []}
    settings |= {"contrastive_weight": 0.0, "diversity_weight": 0.0}
    one = build(order="one-stage", **settings)
    two = build(order="alternating", **settings)
    for name in ("generator", "discriminator"):
        getattr(two, name).set_weights(getattr(one, name).get_weights())
    start = [weights(network) for network in (two.generator, two.discriminator)]
    noise = RANDOM.standard_normal((4, 4)).astype("float32")
    random = types.SimpleNamespace(
        normal=lambda *args, **kwargs: keras.ops.convert_to_tensor(noise),
        uniform=lambda *args, **kwargs: keras.ops.full((4, 1, 1, 1), 0.3),
    )
    with unittest.mock.patch("keras.random", random):
        one.train_step(BATCH)
        with tf.GradientTape() as tape:  # G meets the D of before
            real = keras.ops.convert_to_tensor(BATCH["image"] / np.float32(127.5) - 1)
            g_loss = two._play(real, BATCH["token_ids"]).g_loss
        asked = tape.gradient(g_loss, two.generator.trainable_variables)
        two.g_optimizer.learning_rate = 0.0
        two.train_step(BATCH)
    assert moved(start[0], weights(one.generator))
    for a, b, slope in zip(start[0], weights(one.generator), asked):
        np.testing.assert_allclose(b, a - 1e-3 * slope, atol=1e-6)
    assert moved(start[1], weights(one.discriminator))
    for a, b in zip(weights(one.discriminator), weights(two.discriminator)):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_r1_pulls_the_slope_down():
    gan = build(False, rates=(0.0, 1e-2), r1=1.0, r1_interval=1, augmentation=[])
    real = BATCH["image"].astype("float32") / 127.5 - 1
    before = float(np.mean(gan._squared_slopes(keras.ops.convert_to_tensor(real))))
    weights = gan.discriminator.trainable_variables
    for _ in range(5):
        still = [keras.ops.zeros_like(weight) for weight in weights]
        slopes = gan._with_r1(still, keras.ops.convert_to_tensor(real), None)
        gan.d_optimizer.apply(slopes, weights)
    after = float(np.mean(gan._squared_slopes(keras.ops.convert_to_tensor(real))))
    assert after < 0.9 * before


def test_moving_average_follows_by_its_half_life():
    gan = build(ema_half_life=0.002, batch_size=4)  # 2 images
    gan.step.assign(1000)  # past the short half-lives of the beginning
    for average in gan.ema_generator.variables:
        average.assign(keras.ops.zeros_like(average))
    gan._average()
    for average, weight in zip(weights(gan.ema_generator), weights(gan.generator)):
        np.testing.assert_allclose(average, 0.75 * weight, atol=1e-6)


def test_equal_captions_are_nobody_elses():
    gan = build(contrastive_weight=0.0, diversity_weight=0.0, augmentation=[])
    same = {**BATCH, "token_ids": np.repeat(BATCH["token_ids"][:1], 4, axis=0)}
    game = gan._play(
        keras.ops.convert_to_tensor(same["image"].astype("float32")), same["token_ids"]
    )
    np.testing.assert_array_equal(game.mismatched, game.generated)


@pytest.mark.parametrize("loss", ["wasserstein-gp", "non-saturating"])
def test_the_slope_knows_the_caption(loss):
    gan = build(loss=loss)
    real = keras.ops.convert_to_tensor(BATCH["image"].astype("float32") / 255)
    _, captions = gan.discriminator.encode_text(BATCH["token_ids"])
    alone = np.asarray(gan._squared_slopes(real))
    paired = np.asarray(gan._squared_slopes(real, 9 * captions))
    assert (abs(alone - paired) > 1e-6).all()


def test_lack_of_spread():
    real = RANDOM.uniform(-1, 1, (4, 8, 8, 3)).astype("float32")
    alike = np.concatenate([real[:2], real[:2]])
    assert float(diversity_loss(alike, real)) == pytest.approx(1)
    apart = np.concatenate([-np.ones_like(real[:2]), np.ones_like(real[:2])])
    assert float(diversity_loss(apart, real)) == 0


def test_learns_a_single_colour():
    """All images are red: so are generated ones, soon."""
    gan = build(False, r1=0.0, augmentation=[], ema_half_life=0.1)
    gan.compile(
        keras.optimizers.Adam(5e-3, 0.5),
        keras.optimizers.Adam(5e-3, 0.5),
        jit_compile=False,
    )
    red = np.zeros((16, 8, 8, 3), "uint8")
    red[..., 0] = 255
    gan.batch_size = 16
    gan.fit({"image": red}, batch_size=16, epochs=120, verbose=0, shuffle=False)
    images = np.asarray(gan.ema_generator(RANDOM.standard_normal((8, 4))))
    channels = images.mean((0, 1, 2))
    assert channels[0] > 0.4 and channels[1] < -0.4 and channels[2] < -0.4
