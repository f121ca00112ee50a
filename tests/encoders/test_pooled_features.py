import keras
import numpy as np
import pytest

from kerasgan.encoders import pooled_features as module
from kerasgan.encoders.pooled_features import pooled_features
from kerasgan.encoders.precision import dtype_policy_scope

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (3, 40, 40, 3)).astype("uint8")


def test_features_do_not_depend_on_the_policy():
    with dtype_policy_scope("mixed_bfloat16"):
        features = pooled_features(IMAGES)
    assert features.dtype == np.float32 and features.shape == (3, 1280)
    assert keras.config.dtype_policy().name == "float32"
    module._model.cache_clear()
    np.testing.assert_allclose(pooled_features(IMAGES), features, atol=1e-5)


def test_grayscale_is_that_of_equal_channels():
    gray = IMAGES[..., :1]
    equal = np.repeat(gray, 3, axis=-1)
    features = pooled_features(gray)
    np.testing.assert_allclose(features, pooled_features(equal), atol=1e-4)


@pytest.mark.parametrize("scale", [1, 2])
def test_sizes_need_not_be_multiples_of_32(scale):
    assert pooled_features(IMAGES, scale=scale).shape == (3, 1280)
