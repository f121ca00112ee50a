"""The GAN's training step, on tiny networks."""

import types
import unittest.mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.forward_pass import forward_pass
from kerasgan.gan.gan import GAN
from kerasgan.gan.generator import build_generator
from kerasgan.gan.gradient_penalties import r1_penalty, squared_gradient_norms
from kerasgan.gan.gradients import add_penalties
from kerasgan.gan.losses import LOSSES
from kerasgan.gan.pair_losses import diversity_loss
from kerasgan.layers.text_vectorization import build_vectorizer

RANDOM = np.random.default_rng(0)
BATCH = {
    "image": RANDOM.integers(0, 256, (4, 8, 8, 3)).astype("uint8"),
    "token_ids": RANDOM.integers(2, 9, (4, 5)).astype("int32"),
}
CAPTIONS = ["a red dog", "a cat", "two red cats", "a dog"]


def build(conditional=True, rates=(1e-3, 1e-3), vectorizer=None, **arguments):
    text = {"vocabulary_size": 9, "caption_length": 5, "text_dim": 6}
    generator = build_generator(8, 3, 4, 4, 4, text_dim=6 if conditional else None)
    discriminator = build_discriminator(8, 3, 4, 4, **(text if conditional else {}))
    arguments = {"r1_interval": 2, **arguments}
    gan = GAN(generator, discriminator, vectorizer, **arguments)
    gan.compile(*(keras.optimizers.SGD(rate) for rate in rates), run_eagerly=True)
    return gan


def real_images(batch=BATCH):
    return ops.convert_to_tensor(batch["image"].astype("float32") / 127.5 - 1)


def weights(network):
    return [weight.numpy() for weight in network.trainable_variables]


def moved(before, after):
    return any((a != b).any() for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("order", ["one-stage", "alternating"])
@pytest.mark.parametrize("conditional", [True, False])
def test_a_step_moves_both_networks(loss, order, conditional):
    gan = build(conditional, loss=loss, order=order)
    networks = (gan.generator, gan.discriminator, gan.ema_generator)
    before = [weights(network) for network in networks]
    figures = gan.train_step(BATCH)
    assert all(moved(b, weights(n)) for b, n in zip(before, networks, strict=True))
    names = {"g_loss", "d_loss", "value", "d_real", "d_generated"}
    assert set(figures) == names | ({"d_mismatched"} if conditional else set())
    assert all(np.isfinite(figure).all() for figure in figures.values())


@pytest.mark.parametrize("loss", ["non-saturating", "wasserstein-gp"])
def test_value_is_what_d_maximises(loss, monkeypatch):
    name = "kerasgan.gan.forward_pass.wasserstein_gradient_penalty"
    monkeypatch.setattr(name, lambda *args: 0.0)
    gan = build(False, loss=loss)
    figures = gan.train_step(BATCH)
    assert float(figures["value"]) == pytest.approx(-float(figures["d_loss"]))


@pytest.mark.parametrize("order", ["one-stage", "alternating"])
def test_each_network_learns_only_from_its_own_loss(order):
    generator_still = build(rates=(0.0, 1e-2), order=order)
    before = weights(generator_still.generator)
    generator_still.train_step(BATCH)
    assert not moved(before, weights(generator_still.generator))
    discriminator_still = build(rates=(1e-2, 0.0), order=order)
    before = weights(discriminator_still.discriminator)
    discriminator_still.train_step(BATCH)
    assert not moved(before, weights(discriminator_still.discriminator))


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
def test_one_stage_has_the_gradients_of_two_separate_steps(loss, conditional):
    """One shared pass and two passes over the same noise move both networks alike."""
    arguments = {"loss": loss, "conditional": conditional, "r1": 0.0}
    arguments |= {"contrastive_weight": 0.0, "diversity_weight": 0.0}
    one = build(order="one-stage", **arguments)
    two = build(order="alternating", **arguments)
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
            token_ids = BATCH["token_ids"] if conditional else None
            g_loss = forward_pass(two, real_images(), token_ids).g_loss
        gradients = tape.gradient(g_loss, two.generator.trainable_variables)
        two.g_optimizer.learning_rate = 0.0
        two.train_step(BATCH)
    assert moved(start[0], weights(one.generator))
    for a, b, slope in zip(start[0], weights(one.generator), gradients, strict=True):
        np.testing.assert_allclose(b, a - 1e-3 * slope, atol=1e-6)
    assert moved(start[1], weights(one.discriminator))
    for a, b in zip(
        weights(one.discriminator), weights(two.discriminator), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("penalty", [{"r1": 1.0}, {"r1": 0.0, "r2": 1.0}])
def test_r1_and_r2_lower_the_gradient(penalty):
    gan = build(False, rates=(0.0, 1e-2), r1_interval=1, **penalty)
    before = float(r1_penalty(gan.discriminator, real_images()))
    weights = gan.discriminator.trainable_variables
    for _ in range(5):
        zeros = [ops.zeros_like(weight) for weight in weights]
        gradients = add_penalties(gan, zeros, real_images(), real_images(), None)
        gan.d_optimizer.apply(gradients, weights)
    assert float(r1_penalty(gan.discriminator, real_images())) < 0.9 * before


def test_moving_average_follows_by_its_half_life():
    gan = build(ema_half_life=0.002)  # 2 images
    gan.step.assign(1000)  # past the initial ramp
    for average in gan.ema_generator.variables:
        average.assign(keras.ops.zeros_like(average))
    gan._update_moving_average(real_images())
    for average, weight in zip(
        weights(gan.ema_generator), weights(gan.generator), strict=True
    ):
        np.testing.assert_allclose(average, 0.75 * weight, atol=1e-6)


def test_equal_captions_are_no_mismatched_pairs():
    gan = build(contrastive_weight=0.0, diversity_weight=0.0)
    token_ids = np.repeat(BATCH["token_ids"][:1], 4, axis=0)
    outputs = forward_pass(gan, real_images(), token_ids)
    np.testing.assert_array_equal(outputs.mismatched, outputs.generated)


def test_the_gradient_depends_on_the_caption():
    gan = build()
    _, captions = gan.discriminator.encode_text(BATCH["token_ids"])
    alone = np.asarray(squared_gradient_norms(gan.discriminator, real_images()))
    paired = squared_gradient_norms(gan.discriminator, real_images(), 9 * captions)
    assert (abs(alone - np.asarray(paired)) > 1e-6).all()


def test_diversity_loss():
    real = RANDOM.uniform(-1, 1, (4, 8, 8, 3)).astype("float32")
    alike = np.repeat(real[:2], 2, axis=0)
    assert float(diversity_loss(alike, real)) == pytest.approx(1)
    apart = np.stack([-np.ones_like(real[:2]), np.ones_like(real[:2])], axis=1)
    apart = apart.reshape(real.shape)
    assert float(diversity_loss(apart, real)) == 0


def test_learns_a_single_color():
    """All images are red; soon generated ones are as well."""
    gan = build(False, r1=0.0, ema_half_life=0.1)
    gan.compile(
        keras.optimizers.Adam(5e-3, 0.5),
        keras.optimizers.Adam(5e-3, 0.5),
        jit_compile=False,
    )
    red = np.zeros((16, 8, 8, 3), "uint8")
    red[..., 0] = 255
    dataset = tf.data.Dataset.from_tensors(red).repeat(120)  # 120 steps
    gan.fit(dataset, verbose=0)
    channels = gan.generate(count=8).mean((0, 1, 2))
    assert channels[0] > 178 and channels[1] < 77 and channels[2] < 77


def test_fits_a_dataset_of_images_and_captions():
    gan = build(
        vectorizer=build_vectorizer(CAPTIONS, vocabulary_size=9, sequence_length=5)
    )
    gan.compile("adam", "adam", jit_compile=False)
    dataset = tf.data.Dataset.from_tensor_slices((BATCH["image"], CAPTIONS)).batch(3)
    history = gan.fit(dataset, epochs=2, verbose=0).history
    assert set(history) == {metric.name for metric in gan.metrics}
    assert all(np.isfinite(values).all() for values in history.values())
    assert int(gan.step) == 4
    images = gan.generate(CAPTIONS[:2])
    assert images.shape == (2, 8, 8, 3) and images.dtype == np.uint8


def test_captions_need_a_vectorizer():
    dataset = tf.data.Dataset.from_tensor_slices((BATCH["image"], CAPTIONS)).batch(4)
    with pytest.raises(ValueError, match="build_vectorizer"):
        build().fit(dataset)


def test_odd_batches_of_known_size_are_rejected():
    dataset = tf.data.Dataset.from_tensor_slices(BATCH).batch(3, drop_remainder=True)
    with pytest.raises(ValueError, match="must be even. Received: 3"):
        build().fit(dataset)


@pytest.mark.parametrize(("name", "value"), [("loss", "hing"), ("order", "two-stage")])
def test_unknown_choices_are_rejected(name, value):
    with pytest.raises(
        ValueError, match=f"{name} must be one of .* Received: '{value}'"
    ):
        build(**{name: value})


def test_a_saved_gan_generates_the_same_and_trains_on(tmp_path):
    vectorizer = build_vectorizer(CAPTIONS, vocabulary_size=9, sequence_length=5)
    gan = build(vectorizer=vectorizer, loss="hinge", r1=0.0)
    gan.compile("adam", "adam", jit_compile=False)
    dataset = tf.data.Dataset.from_tensor_slices((BATCH["image"], CAPTIONS)).batch(4)
    gan.fit(dataset, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    for name in ("loss_name", *GAN.arguments):
        assert getattr(loaded, name) == getattr(gan, name)
    np.testing.assert_array_equal(
        loaded.generate(CAPTIONS, seed=3), gan.generate(CAPTIONS, seed=3)
    )
    for one, two in zip(
        loaded.g_optimizer.variables, gan.g_optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(one, two)
    assert np.isfinite(loaded.fit(dataset, verbose=0).history["g_loss"]).all()


def test_arrays_with_captions_are_data_too():
    images = np.zeros((6, 8, 8, 3), "uint8")
    captions = ["a red boat", "a blue boat"] * 3
    vectorizer = build_vectorizer(captions)
    generator = build_generator(8, text_dim=4, latent_dim=4, min_filters=4)
    discriminator = build_discriminator(
        8, vocabulary_size=vectorizer.vocabulary_size(), text_dim=4, min_filters=4
    )
    gan = GAN(generator, discriminator, vectorizer)
    gan.compile(run_eagerly=True)
    gan.fit(images, captions, batch_size=2, verbose=0)
    several = [[caption, "a boat"] for caption in captions]
    gan.fit(images, several, batch_size=6, verbose=0)
    with pytest.raises(ValueError, match="needs images with captions"):
        gan.fit(images, verbose=0)
    with pytest.raises(ValueError, match="no validation loss"):
        gan.fit(images, captions, validation_split=0.5)
    with pytest.raises(NotImplementedError, match="no validation loss"):
        gan.evaluate(images, captions)


def test_captions_are_ignored_without_a_text_branch():
    images = np.zeros((4, 8, 8, 3), "uint8")
    gan = GAN(build_generator(8, latent_dim=4), build_discriminator(8))
    gan.compile(run_eagerly=True)
    dataset = tf.data.Dataset.from_tensor_slices((images, ["a"] * 4)).batch(2)
    for data in (dataset, dataset.map(lambda images, _: {"image": images})):
        gan.fit(data, verbose=0)
    with pytest.raises(ValueError, match="needs captions, count or noise"):
        gan.generate()


@pytest.mark.parametrize(
    ("generator", "discriminator", "message"),
    [
        ({"text_dim": 4}, {}, "Either both networks take captions or none does"),
        ({}, {"vocabulary_size": 9}, "Either both networks take captions or none"),
        ({"text_dim": 4}, {"vocabulary_size": 9}, "features of captions .* 4 and 128"),
        ({"image_size": 16}, {}, "images of the generator .*16.*8"),
        ({"channels": 1}, {}, "images of the generator"),
    ],
)
def test_networks_that_do_not_fit_are_rejected(generator, discriminator, message):
    networks = (
        build_generator(**{"image_size": 8, "latent_dim": 4, **generator}),
        build_discriminator(8, **discriminator),
    )
    with pytest.raises(ValueError, match=message):
        GAN(*networks)


@pytest.mark.parametrize("build_network", [build_generator, build_discriminator])
def test_image_sizes_without_a_network_are_rejected(build_network):
    for size in (4, 48):
        with pytest.raises(ValueError, match=f"Received: image_size={size}"):
            build_network(size)


def test_arguments_without_effect_are_rejected():
    networks = build_generator(8, latent_dim=4), build_discriminator(8)
    with pytest.raises(ValueError, match="augmentation must be .*Received: 'flip'"):
        GAN(*networks, augmentation=["flip"])
    for name, value in {
        "loss": "hinge",
        "metrics": ["mse"],
        "optimizer": "sgd",
    }.items():
        with pytest.raises(ValueError, match=f"compile does not take {name}"):
            GAN(*networks).compile(**{name: value})
