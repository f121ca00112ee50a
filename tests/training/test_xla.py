"""Training steps compiled by XLA, against the same steps without it."""

import unittest.mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.captioning import decoding
from kerasgan.captioning.adversarial import (
    _AdversarialCaptioning,
    build_caption_discriminator,
)
from kerasgan.captioning.captioner import build_captioner
from kerasgan.captioning.cider_reward import CiderReward
from kerasgan.captioning.dual_encoder import build_dual_encoder
from kerasgan.classification.network_trainer import NetworkTrainer
from kerasgan.classification.networks import build_classifier, build_conv_branch
from kerasgan.config.settings import CaptionsConfig, ClassifierConfig
from kerasgan.encoders import frozen_encoder
from kerasgan.encoders.efficientnet_lite import efficientnet_lite
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.gan import GAN
from kerasgan.gan.generator import build_generator
from kerasgan.gan.vae import VAE
from kerasgan.gan.vae_encoder import build_vae_encoder
from kerasgan.layers.text_vectorization import build_vectorizer
from kerasgan.training.devices import uses_xla

RANDOM = np.random.default_rng(0)
LENGTH, WORDS, START = 5, 9, 2
TEXT = {"vocabulary_size": WORDS, "caption_length": LENGTH, "text_dim": 6}
TOKEN_IDS = RANDOM.integers(3, WORDS, (6, 2, LENGTH)).astype("int32")
TOKEN_IDS[..., 0] = START
TOKEN_IDS[1, 0, 3:] = TOKEN_IDS[2:4, 1] = 0  # a short caption, two missing ones
TOKEN_IDS[4, 0, 2] = 1  # an unknown word
FEATURES = RANDOM.normal(size=(6, 2, 2, 4)).astype("float32")
NOISE = RANDOM.normal(size=(6, 3)).astype("float32")
CAPTION_BATCH = {"features": FEATURES, "token_ids": TOKEN_IDS, "noise": NOISE}


def sgd():
    return keras.optimizers.SGD(0.1)


def images(size):
    return RANDOM.integers(0, 256, (6, size, size, 3)).astype("uint8")


def conv_gan():
    vectorizer = build_vectorizer(None, [f"w{n}" for n in range(7)], WORDS, LENGTH)
    gan = GAN(
        build_generator(8, 3, 4, 4, 4, text_dim=6),
        build_discriminator(8, 3, 4, 4, **TEXT),
        vectorizer,
        augmentation=["color", "translation", "cutout"],
    )
    gan.compile(sgd(), sgd(), jit_compile=True)
    return gan, {"image": images(8), "token_ids": TOKEN_IDS[:, 0]}


def projected_gan():
    network = efficientnet_lite(weights=None, image_size=64)
    patch = unittest.mock.patch.object
    with (  # random weights, without the package of weights
        patch(frozen_encoder, "efficientnet_lite", lambda *_, **__: network),
        patch(frozen_encoder, "weights_digest", lambda name: "0123"),
    ):
        discriminator = build_discriminator(32, backbone="efficientnet-lite0", **TEXT)
    generator = build_generator(32, 3, 4, 4, 8, 6, architecture="gated")
    gan = GAN(generator, discriminator, loss="hinge", r1=0)
    gan.compile(sgd(), sgd(), jit_compile=True)
    return gan, {"image": images(32), "token_ids": TOKEN_IDS[:, 0]}


def vae():
    model = VAE(
        build_generator(8, 3, 4, 4, 4, text_dim=6),
        build_vae_encoder(8, 3, 4, 4, 4, **TEXT),
        build_vectorizer(None, [f"w{n}" for n in range(7)], WORDS, LENGTH),
    )
    model.compile(sgd(), jit_compile=True)
    return model, {"image": images(8), "token_ids": TOKEN_IDS[:, 0]}


def dual_encoder():
    model = build_dual_encoder(WORDS, LENGTH, feature_dim=4, joint_dim=3)
    model.compile(sgd(), jit_compile=True)
    return model, {"image": FEATURES.mean((1, 2)), "token_ids": TOKEN_IDS}


def captioner(decoder="lstm"):
    model = build_captioner(
        (2, 2, 4), WORDS, START, LENGTH, dim=8, noise_dim=3, decoder=decoder
    )
    model.compile(sgd(), jit_compile=True)
    return model, CAPTION_BATCH


def transformer_captioner():
    return captioner("transformer")


def adversarial(decoder="lstm"):
    config = CaptionsConfig(sampled_captions=3, caption_length=LENGTH)
    model = _AdversarialCaptioning(
        captioner(decoder)[0],
        build_caption_discriminator(4, WORDS, LENGTH, dim=4),
        CiderReward(TOKEN_IDS, WORDS),
        config,
    )
    model.compile(sgd(), sgd(), jit_compile=True)
    return model, CAPTION_BATCH


def adversarial_transformer():
    return adversarial("transformer")


def classifier():
    network = build_classifier(
        3, build_conv_branch(8, [4], 4), build_text_branch(WORDS, None, 4)
    )
    model = NetworkTrainer(network, ClassifierConfig()).model
    model.jit_compile = True
    inputs = {"image": images(8), "token_ids": TOKEN_IDS[:, 0]}
    return model, (inputs, np.arange(6) % 3)


BUILDERS = (
    conv_gan,
    pytest.param(projected_gan, marks=pytest.mark.slow),  # XLA takes a minute
    vae,
    dual_encoder,
    captioner,
    transformer_captioner,
    adversarial,
    pytest.param(adversarial_transformer, marks=pytest.mark.slow),
    classifier,
)


@pytest.fixture(autouse=True)
def fixed_random_numbers(monkeypatch):
    """Keras draws other numbers under XLA, so nothing is drawn here."""

    def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        count = tf.reduce_prod(tf.stack(shape))
        waves = tf.sin(97.0 * (1 + tf.range(count, dtype=tf.float32)))
        return tf.reshape(minval + (maxval - minval) * (1 + waves) / 2, shape)

    def normal(shape, dtype=None, seed=None):
        return uniform(shape, -1.0, 1.0)

    monkeypatch.setattr(keras.random, "uniform", uniform)
    monkeypatch.setattr(keras.random, "normal", normal)
    monkeypatch.setattr(  # likeliest words, which rounding does not change
        decoding,
        "_gumbel_argmax",
        lambda logits, uniform: tf.argmax(logits, axis=-1, output_type=tf.int32),
    )
    monkeypatch.setattr(
        keras.layers.Dropout, "call", lambda self, inputs, training=False: inputs
    )


def all_variables(model):
    names = ("optimizer", "g_optimizer", "d_optimizer")
    optimizers = [getattr(model, name, None) for name in names]
    lists = [model.variables, *(one.variables for one in optimizers if one)]
    return [variable for variables in lists for variable in variables]


def step(model, batch, initial, jit_compile):
    for variable, value in zip(all_variables(model), initial, strict=True):
        variable.assign(value)
    model.jit_compile = jit_compile
    assert uses_xla(model) == jit_compile
    run = tf.function(model.train_step, jit_compile=jit_compile)
    results = run(tf.nest.map_structure(tf.constant, batch))
    weights = [weight.numpy() for weight in model.trainable_variables]
    return {name: float(value) for name, value in results.items()}, weights


@pytest.mark.parametrize("build", BUILDERS)
def test_a_compiled_step_equals_the_step(build):
    model, batch = build()
    assert model.jit_compile
    for name in ("optimizer", "g_optimizer", "d_optimizer"):
        if getattr(model, name, None) and not getattr(model, name).built:
            getattr(model, name).build(model.trainable_variables)
    initial = [variable.numpy() for variable in all_variables(model)]
    expected, weights = step(model, batch, initial, jit_compile=False)
    results, compiled_weights = step(model, batch, initial, jit_compile=True)
    assert results == pytest.approx(expected, rel=2e-3, abs=1e-4)
    trainable = model.trainable_variables
    before = dict(zip(map(id, all_variables(model)), initial, strict=True))
    assert any((before[id(v)] != v.numpy()).any() for v in trainable)
    for one, other in zip(weights, compiled_weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("build", BUILDERS)
def test_no_variable_of_a_step_is_int32(build):
    """XLA on a GPU cannot reach int32 variables, which live in host memory."""
    paths = [v.path for v in all_variables(build()[0]) if v.dtype == "int32"]
    assert not paths
