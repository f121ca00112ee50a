"""Arrays as data of a GAN."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.gan import GAN
from kerasgan.gan.gan_inputs import make_gan_inputs
from kerasgan.gan.generator import build_generator
from kerasgan.gan.losses import contrastive_loss
from kerasgan.layers.text_vectorization import build_vectorizer

IMAGES = np.arange(8, dtype="uint8")[:, None, None, None].repeat(3, axis=-1)
TOKEN_IDS = np.arange(8, dtype="int32")[:, None] + 2


@pytest.mark.parametrize("shuffle", [False, True])
def test_arrays_of_token_ids_are_shuffled_with_their_images(shuffle):
    keras.utils.set_random_seed(0)
    arrays = {"image": IMAGES, "token_ids": TOKEN_IDS}
    dataset = make_gan_inputs(arrays, None, None, 4, shuffle, (1, 1, 3), True)
    epochs = [
        np.concatenate([batch["token_ids"][:, 0] for batch in dataset])
        for _ in range(2)
    ]
    for batch in dataset:
        np.testing.assert_array_equal(
            batch["image"][:, 0, 0, 0] + 2, batch["token_ids"][:, 0]
        )
    assert sorted(epochs[1]) == list(range(2, 10))
    assert (epochs[0] != epochs[1]).any() == shuffle


def test_arrays_cannot_have_odd_batches():
    arrays = {"image": IMAGES, "token_ids": TOKEN_IDS}
    with pytest.raises(ValueError, match="must be even. Received: 3"):
        make_gan_inputs(arrays, None, None, 3, True, (1, 1, 3), True)


def test_without_captions_token_ids_are_ignored():
    arrays = {"image": IMAGES, "token_ids": TOKEN_IDS}
    images = make_gan_inputs(arrays, None, None, 3, True, (1, 1, 3), False)
    np.testing.assert_array_equal(images, IMAGES)


def test_an_image_without_caption_leaves_all_weights_finite():
    vectorizer = build_vectorizer(["a boat"], vocabulary_size=9, sequence_length=5)
    text = {"vocabulary_size": 9, "caption_length": 5, "text_dim": 6}
    gan = GAN(
        build_generator(8, 3, 4, 4, 4, text_dim=6),
        build_discriminator(8, 3, 4, 4, **text),
        vectorizer,
    )
    gan.compile(run_eagerly=True)
    images = np.zeros((2, 8, 8, 3), "uint8")
    gan.fit(images, [["a boat"], []], batch_size=2, verbose=0)
    assert all(np.isfinite(weight).all() for weight in gan.get_weights())


def test_the_contrastive_loss_has_a_gradient_at_zero():
    vectors = tf.zeros((2, 3))
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        loss = contrastive_loss(vectors, vectors, np.arange(2), np.array([[2], [3]]))
    assert np.isfinite(tape.gradient(loss, vectors)).all()


def test_another_model_as_discriminator_is_named():
    generator = build_generator(8, 3, 4, 4, 4)
    with pytest.raises(ValueError, match="must be a kerasgan.Discriminator"):
        GAN(generator, keras.Sequential([keras.Input((8, 8, 3))]))
