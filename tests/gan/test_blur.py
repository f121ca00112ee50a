import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import gaussian_filter

from kerasgan.gan.blur import fading_blur, gaussian_blur

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(-1, 1, (3, 16, 16, 2)).astype("float32")


def test_the_blur_is_that_of_scipy():
    blurred = gaussian_blur(tf.constant(IMAGES), tf.constant(1.5), radius=6)
    # SciPy calls the padding that repeats no edge pixel "mirror".
    expected = gaussian_filter(IMAGES, 1.5, mode="mirror", radius=6, axes=(1, 2))
    np.testing.assert_allclose(blurred, expected, atol=1e-5)


def test_the_blur_fades():
    def strength(seen):
        blurred = fading_blur(tf.constant(IMAGES), seen, blur=0.1, blur_images=1)
        return float(np.std(blurred))

    strengths = [strength(seen) for seen in (0, 300, 600, 1000, 5000)]
    assert strengths == sorted(strengths) and strengths[0] < 0.5 * strengths[-1]
    assert strengths[-2] == strengths[-1] == float(np.std(IMAGES))


@pytest.mark.parametrize("blur, blur_images", [(0.0, 10), (0.1, 0)])
def test_no_blur_is_no_operation(blur, blur_images):
    images = tf.constant(IMAGES)
    assert fading_blur(images, 0, blur, blur_images) is images


def test_gradients_pass():
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(fading_blur(images, 0, 0.1, 1))
    gradients = tape.gradient(total, images)
    assert gradients.shape == images.shape and np.isfinite(gradients).all()
    np.testing.assert_allclose(tf.reduce_sum(gradients), IMAGES.size, rtol=1e-4)
