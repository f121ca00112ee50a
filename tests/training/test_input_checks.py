"""What is said about images and captions that cannot be used."""

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.training.input_checks import check_captions, check_images

IMAGES = np.full((2, 8, 8, 3), 0.5, "float32")


def test_one_string_is_no_list_of_captions():
    check_captions(["a dog"])
    check_captions(None)
    with pytest.raises(ValueError, match="list of strings. Received: 'a dog'"):
        check_captions("a dog")


@pytest.mark.parametrize("batched", [False, True])
def test_floats_from_0_to_1_are_rejected(batched):
    def given(images):
        dataset = tf.data.Dataset.from_tensor_slices({"image": images}).batch(2)
        return dataset if batched else images

    with pytest.raises(ValueError, match=r"Received: floats of at most 0\.5"):
        check_images(given(IMAGES), (8, 8, 3))
    for images in (IMAGES * 255, IMAGES.astype("uint8"), IMAGES * 0):
        check_images(given(images), (8, 8, 3))


def test_shapes():
    check_images(IMAGES * 255, (None, None, 3))
    with pytest.raises(ValueError, match=r"shape \(n, 4, 4, 3\). Received: \(2, 8, 8"):
        check_images(IMAGES * 255, (4, 4, 3))
    with pytest.raises(ValueError, match="Received: .*channels=1"):
        check_images(IMAGES[..., :1] * 255, (8, 8, 3))
    with pytest.raises(ValueError, match=r"Received: \(8, 8, 3\)"):
        check_images(IMAGES[0] * 255, (8, 8, 3))
