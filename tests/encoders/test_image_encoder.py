"""Image encoders of one network and of several, and their precision."""

import keras
import numpy as np
import pytest

from kerasgan.encoders import image_encoder
from kerasgan.encoders.efficientnet_lite import efficientnet_lite, is_installed
from kerasgan.encoders.feature_cache import encode_images
from kerasgan.encoders.image_encoder import build_image_encoder, split_backbone
from kerasgan.encoders.precision import dtype_policy_scope, to_float32
from kerasgan.errors import UserError

BOTH = "efficientnet-lite0+efficientnet-lite2"
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype("uint8")


def test_features_of_several_networks_are_concatenated(monkeypatch, tmp_path):
    networks = {
        name: efficientnet_lite(name, weights=None, image_size=64)
        for name in split_backbone(BOTH)
    }
    monkeypatch.setattr(
        image_encoder, "efficientnet_lite", lambda name, *_: networks[name]
    )
    encoder = build_image_encoder(BOTH, 64)  # as if these were the trained weights
    assert encoder.output_shape == (None, 2, 2, 2 * 1280)
    assert not encoder.trainable_weights
    expected = [network(IMAGES)["grid"] for network in networks.values()]
    expected = np.concatenate(expected, axis=-1)
    np.testing.assert_allclose(encode_images(encoder, IMAGES), expected, atol=1e-4)
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    np.testing.assert_allclose(encode_images(loaded, IMAGES), expected, atol=1e-4)


def test_several_networks_without_weights_are_trained():
    encoder = build_image_encoder(BOTH, 32, weights=None)
    assert encoder.output_shape == (None, 1, 1, 2560) and encoder.trainable_weights


@pytest.mark.parametrize(
    "backbone",
    ["efficientnet-lite0+conv", "efficientnet-lite0+", "MobileNetV3Small+conv"]
    + ["efficientnet-lite1+efficientnet-lite1"],
)
def test_other_networks_cannot_be_joined(backbone):
    with pytest.raises(UserError, match="Only different networks of efficientnet-li"):
        build_image_encoder(backbone, 64)


@pytest.mark.skipif(not is_installed(), reason="needs the weights")
def test_bfloat16_features_are_close_and_the_copy_is_exact():
    expected = encode_images(build_image_encoder("efficientnet-lite0", 64), IMAGES)
    with dtype_policy_scope("mixed_bfloat16"):
        encoder = build_image_encoder("efficientnet-lite0", 64)
    features = encode_images(encoder, IMAGES)
    error = np.linalg.norm(features - expected) / np.linalg.norm(expected)
    assert 1e-5 < error < 0.1
    copied = encode_images(to_float32(encoder), IMAGES)
    np.testing.assert_array_equal(copied, expected)
