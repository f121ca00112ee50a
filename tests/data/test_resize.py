import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasgan.data.images import square_image
from kerasgan.data.resize import square_in_graph


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [8, 33, 64])
def test_the_graph_gives_the_pixels_of_pillow(fit, size):
    spec = tf.TensorSpec((None, None, 3), tf.uint8)
    graph = tf.function(lambda x: square_in_graph(x, size, fit), input_signature=[spec])
    random = np.random.default_rng(size)
    shapes = [(64, 64), (1, 1), (1, 90), (90, 1), (7, 5), (33, 33), (100, 8)]
    shapes += [tuple(random.integers(1, 200, 2)) for _ in range(20)]
    for height, width in shapes:
        array = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        expected = np.asarray(square_image(Image.fromarray(array), size, fit))
        np.testing.assert_array_equal(graph(array).numpy(), expected, f"{array.shape}")
