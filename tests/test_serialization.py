"""Every layer and model of the package can be saved and loaded."""

import copy
import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan.encoders import frozen_encoder
from kerasgan.layers.ngram_logits import NgramLogits

TEXT = {"vocabulary_size": 9, "caption_length": 5}


def feature_captioner():
    return kerasgan.build_captioner((2, 2, 4), 9, 2, dim=4, noise_dim=2)


FACTORIES = {
    "ApplicationPreprocessing": lambda: kerasgan.layers.ApplicationPreprocessing(
        "mobilenet_v3"
    ),
    "AttentionPooling": kerasgan.layers.AttentionPooling,
    "Captioner": feature_captioner,
    "ContainsText": kerasgan.layers.ContainsText,
    "Discriminator": lambda: kerasgan.build_discriminator(8, text_dim=4, **TEXT),
    "DualEncoder": lambda: kerasgan.build_dual_encoder(
        9, 5, feature_dim=4, joint_dim=4
    ),
    "FrozenEncoder": lambda: frozen_encoder.FrozenEncoder("efficientnet-lite1"),
    "GAN": lambda: kerasgan.GAN(
        kerasgan.build_generator(8), kerasgan.build_discriminator(8), r1=2.0
    ),
    "LogLinearEnsemble": lambda: kerasgan.layers.LogLinearEnsemble(
        np.ones((3, 2)), [0.5, 0.5], multi_label=True
    ),
    "Modulation": kerasgan.layers.Modulation,
    "NgramLogits": lambda: NgramLogits(2, 3, "char_wb", (2, 3), True),
    "WeightedEmbeddingSum": lambda: kerasgan.layers.WeightedEmbeddingSum(5, 3),
}


@pytest.fixture(autouse=True)
def weights(monkeypatch):
    """The package of the frozen encoder's weights may be missing."""
    monkeypatch.setattr(frozen_encoder, "weights_digest", lambda name: "0123")


def public_classes():
    """The public Keras layers and models that the package defines, by name."""
    classes = {}
    for module in pkgutil.walk_packages(kerasgan.__path__, "kerasgan."):
        if module.name.endswith("__main__"):
            continue
        for name, item in vars(importlib.import_module(module.name)).items():
            if (
                inspect.isclass(item)
                and issubclass(item, keras.layers.Layer)
                and item.__module__ == module.name
                and not name.startswith("_")
            ):
                classes[name] = item
    return classes


def test_every_public_class_is_tested_here():
    assert set(public_classes()) == set(FACTORIES)


@pytest.mark.parametrize("name", FACTORIES)
def test_a_class_is_registered_and_its_config_holds_all_arguments(name):
    item = public_classes()[name]
    assert keras.saving.get_registered_object(f"kerasgan>{name}") is item
    config = FACTORIES[name]().get_config()
    arguments = set(inspect.signature(item.__init__).parameters)
    assert arguments - {"self", "args", "kwargs"} <= set(config)


@pytest.mark.parametrize("name", FACTORIES)
def test_a_config_makes_an_equal_object(name):
    original = FACTORIES[name]()
    config = keras.saving.serialize_keras_object(original)
    # Keras empties the config of nested models when it reads them.
    other = keras.saving.deserialize_keras_object(copy.deepcopy(config))
    assert type(other) is type(original)
    assert keras.saving.serialize_keras_object(other) == config
