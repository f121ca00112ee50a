"""Networks of keras.applications as image encoders."""

import inspect
import urllib.error
import urllib.request

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.encoders import keras_applications
from kerasgan.encoders.image_encoder import build_image_encoder
from kerasgan.errors import UserError
from kerasgan.layers import application_preprocessing
from kerasgan.layers.application_preprocessing import (
    ApplicationPreprocessing,
    family_of,
)

SIZE = 32
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)


def perturbed(network):
    """Changes the initial weights, so that a load that does nothing is detected."""
    network.set_weights(
        [
            (weight + 0.01 * RANDOM.normal(size=weight.shape)).astype(weight.dtype)
            for weight in network.get_weights()
        ]
    )
    return network


@pytest.mark.parametrize("name", keras_applications.applications())
def test_every_network_has_the_family_that_keras_wrote_it_in(name):
    written = inspect.getmodule(keras_applications.applications()[name]).__name__
    assert written.split(".")[-1] == family_of(name)


@pytest.mark.parametrize("family", application_preprocessing.families())
def test_images_are_prepared_as_the_family_does(family):
    images = IMAGES.astype("float32")
    module = getattr(keras.applications, family)
    expected = module.preprocess_input(images.copy())
    for given in (images, IMAGES):
        found = ApplicationPreprocessing(family)(given)
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    "name, channels", [("mobilenetv3SMALL", 576), ("MobileNetV2", 1280), ("VGG16", 512)]
)
def test_the_grid_is_the_network_s_own_on_prepared_images(name, channels, tmp_path):
    image_encoder = build_image_encoder(name, SIZE, weights="none")
    assert image_encoder.output_shape == (None, 1, 1, channels)
    assert image_encoder.trainable and image_encoder.trainable_weights
    perturbed(image_encoder)
    proper = keras_applications.find_application(name)
    network = getattr(keras.applications, proper)(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3)
    )
    network.set_weights(image_encoder.get_weights())
    module = getattr(keras.applications, family_of(proper))
    prepared = module.preprocess_input(IMAGES.astype("float32"))
    expected = network(prepared, training=False)
    assert np.std(expected) > 0
    grid = image_encoder(IMAGES, training=False)
    np.testing.assert_allclose(grid, expected, rtol=1e-4, atol=1e-5)
    floats = image_encoder(IMAGES.astype("float32"), training=False)
    np.testing.assert_array_equal(floats, grid)
    image_encoder.save(tmp_path / "image_encoder.keras")
    again = keras.models.load_model(tmp_path / "image_encoder.keras")
    np.testing.assert_allclose(again(IMAGES, training=False), grid, rtol=1e-5)


def test_an_exported_image_encoder_takes_plain_images(tmp_path):
    image_encoder = build_image_encoder("VGG16", SIZE, weights=None)
    image_encoder.export(
        tmp_path / "image_encoder", format="tf_saved_model", verbose=False
    )
    loaded = tf.saved_model.load(str(tmp_path / "image_encoder"))
    np.testing.assert_allclose(
        loaded.serve(IMAGES.astype("float32")),
        image_encoder(IMAGES, training=False),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
@pytest.mark.parametrize("saved", ["network", "image_encoder"])
def test_a_file_with_weights_fills_and_freezes(suffix, saved, tmp_path):
    file = tmp_path / f"mine{suffix}"
    source = perturbed(build_image_encoder("MobileNetV3Small", SIZE, weights=None))
    written = source if saved == "image_encoder" else source.layers[-1]
    written.save(file) if suffix == ".keras" else written.save_weights(file)
    image_encoder = build_image_encoder("MobileNetV3Small", SIZE, weights=str(file))
    np.testing.assert_array_equal(
        image_encoder(IMAGES, training=False), source(IMAGES, training=False)
    )
    assert not image_encoder.trainable_weights


def test_a_keras_file_has_nothing_built_that_it_names(tmp_path):
    source = perturbed(build_image_encoder("MobileNetV3Small", SIZE, weights=None))
    doubled = keras.layers.Lambda(lambda grid: 2 * grid)(source.layers[-1].output)
    hostile = keras.Model(source.layers[-1].input, doubled)
    hostile.save(tmp_path / "hostile.keras")
    image_encoder = build_image_encoder(
        "MobileNetV3Small", SIZE, weights=tmp_path / "hostile.keras"
    )
    np.testing.assert_array_equal(
        image_encoder(IMAGES, training=False), source(IMAGES, training=False)
    )


def test_efficientnet_s_weights_from_a_file_divide_by_the_deviation(tmp_path):
    network = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3)
    )
    (layer,) = (
        one for one in network.layers if isinstance(one, keras.layers.Normalization)
    )
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    layer.set_weights([np.array(mean), np.array(deviation), np.array(0)])
    network.save_weights(tmp_path / "b0.weights.h5")
    image_encoder = build_image_encoder(
        "efficientnetb0", SIZE, weights=tmp_path / "b0.weights.h5"
    )
    (layer,) = (
        one
        for one in image_encoder.layers[-1].layers
        if isinstance(one, keras.layers.Normalization)
    )
    images = IMAGES / np.float32(255)
    np.testing.assert_allclose(
        layer(images), (images - mean) / deviation, rtol=1e-4, atol=1e-4
    )
    # A second call changes nothing: a restored network may be saved and loaded again.
    keras_applications._restore_variance(image_encoder.layers[-1])
    np.testing.assert_allclose(layer.get_weights()[1], np.square(deviation), rtol=1e-5)


# Invalid input ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, near",
    [
        ("MobileNetV4Small", "MobileNetV3Small"),
        ("resnet-50", "ResNet50"),
        ("efficientnet-lite", "efficientnet-lite0"),
        ("cnov", "conv"),
        ("qqqqqq", "ConvNeXtBase"),
    ],
)
def test_an_unknown_name_brings_near_ones(name, near):
    with pytest.raises(UserError, match=f"Received: {name}.*{near}"):
        build_image_encoder(name, SIZE)


def test_weights_that_cannot_be_fetched(monkeypatch):
    def unreachable(*args, **kwargs):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    with pytest.raises(UserError, match="no route to host.*path of a file"):
        build_image_encoder("MobileNetV3Large", SIZE, weights="imagenet")


def test_a_size_that_does_not_suit():
    with pytest.raises(UserError, match="image_size=16.*32x32"):
        build_image_encoder("MobileNetV3Small", 16, weights=None)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("absent.weights.h5", None, "does not exist: /.*absent"),
        ("weights.pth", b"", "ends in .weights.h5"),
        ("text.weights.h5", b"hello", "not of MobileNetV3Small"),
        ("text.h5", b"hello", "not of MobileNetV3Small"),
        ("text.keras", b"hello", "not of MobileNetV3Small"),
    ],
)
def test_invalid_files(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        build_image_encoder("MobileNetV3Small", SIZE, weights=str(tmp_path / name))


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weights_of_another_network(suffix, tmp_path):
    file = tmp_path / f"vgg{suffix}"
    other = keras.applications.VGG16(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3)
    )
    other.save(file) if suffix == ".keras" else other.save_weights(file)
    with pytest.raises(UserError, match="not of MobileNetV3Small"):
        build_image_encoder("MobileNetV3Small", SIZE, weights=str(file))


def test_the_layer_is_registered_and_tells_all_its_arguments():
    layer = ApplicationPreprocessing("resnet")
    registered = keras.saving.get_registered_object("kerasgan>ApplicationPreprocessing")
    assert registered is ApplicationPreprocessing
    assert layer.get_config()["family"] == "resnet"
    assert ApplicationPreprocessing.from_config(layer.get_config()).family == "resnet"
    with pytest.raises(ValueError, match="Received: 'os'"):
        ApplicationPreprocessing("os")
