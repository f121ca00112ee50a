import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.gan.augmentation import augment

IMAGES = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 3)).astype("float32")


def changed(policy, images=IMAGES):
    return np.asarray(augment(images, policy, keras.random.SeedGenerator(3)))


def test_no_policy_changes_nothing():
    np.testing.assert_array_equal(changed([]), IMAGES)


@pytest.mark.parametrize("name", ["color", "translation", "cutout"])
def test_each_change_changes_and_lets_gradients_through(name):
    with tf.GradientTape() as tape:
        images = tf.constant(IMAGES)
        tape.watch(images)
        outputs = augment(images, [name], keras.random.SeedGenerator(3))
    assert outputs.shape == IMAGES.shape
    assert abs(np.asarray(outputs) - IMAGES).max() > 0.1
    slopes = np.asarray(tape.gradient(outputs, images))
    assert np.isfinite(slopes).all() and abs(slopes).max() > 0


def test_translation_moves_whole_images_and_fills_with_gray():
    outputs = changed(["translation"])
    for before, after in zip(IMAGES, outputs, strict=True):
        candidates = []
        padded = np.pad(before, ((1, 1), (1, 1), (0, 0)))
        for row in range(3):
            for column in range(3):
                candidates.append(padded[row : row + 8, column : column + 8])
        assert min(abs(after - other).max() for other in candidates) < 1e-6


def test_cutout_grays_a_square_and_nothing_else():
    outputs = changed(["cutout"], np.ones_like(IMAGES))
    assert set(np.unique(outputs)) == {0.0, 1.0}
    grayed = (outputs == 0).all(-1).sum((1, 2))
    assert grayed.max() <= 16 and grayed.min() >= 1


def test_color_keeps_gray_images_gray():
    gray = np.repeat(IMAGES[..., :1], 3, axis=-1)
    outputs = changed(["color"], gray)
    np.testing.assert_allclose(outputs[..., 0], outputs[..., 2], atol=1e-5)
