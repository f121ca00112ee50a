import keras
import numpy as np
import pytest

from kerasgan.encoders.image_branch import build_image_branch
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.generator import build_generator

RANDOM = np.random.default_rng(0)
TOKENS = np.array([[2, 3, 4, 0], [2, 0, 0, 0]])


@pytest.mark.parametrize("size", [8, 32, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_networks_of_every_image_size(size, channels):
    generator = build_generator(size, channels, 5, 4, 8)
    noise = RANDOM.standard_normal((2, 5))
    images = generator(noise)
    assert images.shape == (2, size, size, channels)
    assert abs(np.asarray(images)).max() <= 1
    discriminator = build_discriminator(size, channels, 4, 8)
    assert discriminator({"image": images}).shape == (2,)


@pytest.mark.parametrize("kind", ["words", "lstm-attention"])
def test_captions_change_images_and_logits(kind, tmp_path):
    generator = build_generator(16, 3, 5, 4, 8, text_dim=6)
    discriminator = build_discriminator(
        16, 3, 4, 8, vocabulary_size=9, caption_length=4, text_dim=6, text_branch=kind
    )
    words, vectors = discriminator.encode_text(TOKENS)
    assert words.shape == (2, 6) and vectors.shape == (2, 1, 128)
    words = np.asarray(words)
    noise = np.repeat(RANDOM.standard_normal((1, 5)), 2, axis=0)
    images = np.asarray(generator({"noise": noise, "caption": words}))
    assert abs(images[0] - images[1]).max() > 1e-4
    image = np.repeat(images[:1], 2, axis=0)
    pairs = {"image": image, "token_ids": TOKENS}
    logits = np.asarray(discriminator(pairs))
    assert logits[0] != logits[1]
    realness, seen = discriminator.encode_image(image)
    expected = realness + discriminator.match(seen, vectors)
    np.testing.assert_allclose(logits, expected[:, 0], atol=1e-5)
    discriminator.save(tmp_path / "d.keras")
    again = keras.saving.load_model(tmp_path / "d.keras")
    np.testing.assert_allclose(again(pairs), logits, atol=1e-6)


@pytest.mark.parametrize("kind", ["words", "lstm-attention"])
def test_text_branch_is_deaf_to_padding(kind):
    branch = build_text_branch(9, None, 6, kind)
    long = np.pad(TOKENS, ((0, 0), (0, 3)))
    np.testing.assert_allclose(branch(TOKENS), branch(long), atol=1e-5)


def test_text_branch_names_what_it_knows():
    with pytest.raises(ValueError, match="lstm-attention.*Received: kind='gru'"):
        build_text_branch(9, 4, kind="gru")


def test_spectral_normalization_bounds_the_slope():
    branch = build_image_branch(8, 1, (4, 4), spectral_normalization=True)
    image = RANDOM.standard_normal((1, 8, 8, 1)).astype("float32")
    for _ in range(30):
        branch(image, training=True)
    wrapped = [
        layer
        for layer in branch.layers
        if isinstance(layer, keras.layers.SpectralNormalization)
    ]
    assert len(wrapped) == 2
    for layer in wrapped:
        matrix = np.asarray(layer.layer.kernel).reshape(-1, 4)
        assert np.linalg.norm(matrix, 2) == pytest.approx(1, abs=0.02)
