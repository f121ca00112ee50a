"""The variational autoencoder, on tiny networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.config.settings import GanConfig, Settings
from kerasgan.errors import UserError
from kerasgan.gan.gan_settings import check_gan_settings
from kerasgan.gan.generator import build_generator
from kerasgan.gan.vae import VAE, kl_loss, reconstruction_loss
from kerasgan.gan.vae_encoder import build_vae_encoder
from kerasgan.layers.text_vectorization import build_vectorizer
from kerasgan.runs import new_run, open_run

COLORS = {"red": (255, 0, 0), "blue": (0, 0, 255)}
CAPTIONS = [f"a {color} square" for color in COLORS] * 8
IMAGES = np.zeros((len(CAPTIONS), 8, 8, 3), "uint8")
IMAGES[:] = np.array([*COLORS.values()] * 8, "uint8")[:, None, None]


def build(conditional=True, rate=5e-3, **arguments):
    vectorizer = build_vectorizer(CAPTIONS, sequence_length=5) if conditional else None
    text = {"vocabulary_size": 9, "caption_length": 5, "text_dim": 6}
    vae = VAE(
        build_generator(8, 3, 4, 4, 8, text_dim=6 if conditional else None),
        build_vae_encoder(8, 3, 4, 4, 8, **(text if conditional else {})),
        vectorizer,
        **arguments,
    )
    vae.compile(keras.optimizers.Adam(rate), jit_compile=False)
    return vae


def dataset(steps=1):
    return tf.data.Dataset.from_tensors((IMAGES, CAPTIONS)).repeat(steps)


def test_kl_is_that_of_normal_distributions():
    """By numerical integration of each dimension, whose divergences add up."""
    mean, variance = np.array([[0.5, -1.0], [0.0, 2.0]]), np.array([[1, 0.3], [2, 0.5]])
    x = np.linspace(-20, 20, 400_001)
    total = 0.0
    for row, column in np.ndindex(2, 2):
        m, v = mean[row, column], variance[row, column]
        density = np.exp(-((x - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)
        log_ratio = -((x - m) ** 2) / (2 * v) - 0.5 * np.log(v) + x**2 / 2
        total += np.sum(density * log_ratio) * (x[1] - x[0])
    found = kl_loss(mean.astype("float32"), np.log(variance).astype("float32"))
    assert float(found) == pytest.approx(total / 2, rel=1e-5)
    zeros = np.zeros((3, 2), "float32")
    assert float(kl_loss(zeros, zeros)) == 0


def test_reconstruction_is_half_the_squared_error_of_an_image():
    images = np.zeros((2, 8, 8, 3), "float32")
    others = images.copy()
    others[0, 0, 0, 0], others[1, :, :, 1] = 1.0, 0.5
    expected = (0.5 * 1 + 0.5 * 64 * 0.25) / 2
    assert float(reconstruction_loss(images, others)) == pytest.approx(expected)


@pytest.mark.parametrize("conditional", [True, False])
def test_fit_moves_both_networks_and_lowers_the_loss(conditional):
    vae = build(conditional)
    networks = vae.generator, vae.encoder, vae.ema_generator
    before = [[w.numpy() for w in n.trainable_variables] for n in networks]
    history = vae.fit(dataset(20), epochs=2, verbose=0).history
    assert set(history) == {"loss", "reconstruction_loss", "kl_loss"}
    assert history["loss"][1] < 0.8 * history["loss"][0]
    for weights, network in zip(before, networks, strict=True):
        for old, new in zip(weights, network.trainable_variables, strict=True):
            assert (old != new.numpy()).any(), new.path
    assert int(vae.step) == 40


def test_the_loss_is_the_weighted_sum():
    vae = build(kl_weight=0.25, rate=0.0)
    logs = vae.fit(dataset(), verbose=0).history
    total = logs["reconstruction_loss"][0] + 0.25 * logs["kl_loss"][0]
    assert logs["loss"][0] == pytest.approx(total)
    assert logs["kl_loss"][0] > 0


def test_images_follow_captions_and_seed():
    vae = build(ema_half_life=0.05)
    vae.fit(dataset(150), verbose=0)
    captions = ["a red square", "a blue square"]
    red, blue = vae.generate(captions, seed=1).mean((1, 2))
    assert red[0] > red[2] + 100 and blue[2] > blue[0] + 100
    images = [vae.generate(captions, seed=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).any()
    generator = vae.image_generator()
    np.testing.assert_array_equal(generator.generate(captions, seed=1), images[0])


def test_batches_may_be_odd_and_images_come_alone():
    images = tf.data.Dataset.from_tensor_slices((IMAGES, CAPTIONS))
    build().fit(images.batch(3, drop_remainder=True), verbose=0)
    vae = build(conditional=False)
    vae.fit(IMAGES, batch_size=5, verbose=0)
    assert vae.generate(count=3).shape == (3, 8, 8, 3)
    assert vae({"image": IMAGES}).shape == (len(IMAGES), 8, 8, 3)


def test_a_saved_vae_generates_the_same_and_trains_on(tmp_path):
    vae = build(kl_weight=2.0)
    vae.fit(dataset(3), verbose=0)
    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert loaded.kl_weight == 2
    captions = CAPTIONS[:2]
    np.testing.assert_array_equal(
        loaded.generate(captions, seed=3), vae.generate(captions, seed=3)
    )
    for one, two in zip(
        loaded.optimizer.variables, vae.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(one, two)
    assert np.isfinite(loaded.fit(dataset(), verbose=0).history["loss"]).all()


def test_what_does_not_fit_is_rejected():
    with pytest.raises(ValueError, match="latent_dim must be .* Received: 5 and 4"):
        VAE(build_generator(8, 3, 4), build_vae_encoder(8, 3, 5))
    with pytest.raises(ValueError, match="captions or none does.*the encoder with"):
        VAE(build_generator(8, 3, 4, text_dim=4), build_vae_encoder(8, 3, 4))
    vae = build(conditional=False)
    with pytest.raises(ValueError, match="VAE.compile does not take loss"):
        vae.compile(loss="mse")
    with pytest.raises(ValueError, match="VAE.fit does not take validation_data"):
        vae.fit(IMAGES, validation_data=IMAGES)
    with pytest.raises(NotImplementedError, match="no validation loss"):
        vae.evaluate(IMAGES)


# Runs ----------------------------------------------------------------------------


@pytest.fixture
def settings(tiny):
    gan = GanConfig(
        model="vae",
        latent_dim=8,
        generator_filters=4,
        discriminator_filters=4,
        max_filters=8,
        text_dim=8,
        caption_length=8,
    )
    return tiny.model_copy(update={"gan": gan})


def train(settings, path, resume=False):
    run = open_run(path) if resume else new_run("train-gan", settings, path)
    kerasgan.train_gan(settings, run, progress=False)
    return run


def weights_of(run):
    generator = kerasgan.load_gan(run.path)
    return [*generator.generator.get_weights(), *generator.counterpart.get_weights()]


def test_a_resumed_run_equals_an_undisturbed_one(settings, tmp_path):
    whole = train(settings, tmp_path / "whole")
    training = settings.training.model_copy(update={"epochs": 1})
    train(settings.model_copy(update={"training": training}), tmp_path / "resumed")
    resumed = train(settings, tmp_path / "resumed", resume=True)
    for a, b in zip(weights_of(whole), weights_of(resumed), strict=True):
        # Sums over two threads are not always rounded alike.
        np.testing.assert_allclose(a, b, atol=1e-4)
    assert [line["epoch"] for line in resumed.metrics] == [1, 2]
    names = ("loss", "reconstruction_loss", "kl_loss", "diversity")
    assert all(np.isfinite(resumed.metrics[1][name]) for name in names)
    assert resumed.chosen == {
        "gan.conditional": True,
        "gan.generator": "light",
        "training.beta_1": 0.9,
        "training.batch_size": 8,
        "training.learning_rate": 4e-4,
    }
    files = {path.name for path in resumed.models.iterdir()}
    assert files == {"generator.keras", "encoder.keras", "vocabulary.txt"}
    images = kerasgan.load_gan(resumed.path).generate(["a red boat", "a green tent"])
    assert images.shape == (2, 32, 32, 3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": "vae", "loss": "hinge", "r1": 1.0}, "gan.loss=hinge, gan.r1=1.0"),
        ({"model": "vae", "augmentation": ["color"]}, "settings of a GAN.*=.'color'.$"),
        ({"kl_weight": 2.0}, "A GAN has no use .* gan.model=vae.*gan.kl_weight=2.0"),
    ],
)
def test_settings_of_the_other_model_are_rejected(values, message):
    with pytest.raises(UserError, match=message):
        check_gan_settings(Settings(gan=GanConfig(**values)))
