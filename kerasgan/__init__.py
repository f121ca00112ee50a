"""Images that come with words: GANs, classifiers and captions in readable Keras 3.

Importing the package imports neither TensorFlow nor Keras; each name below does, when
it is first used. The data sets are registered with tensorflow-datasets as soon as both
are imported, in either order.
"""

import importlib
import os

import wrapt

# TensorFlow leaves oneDNN off on processors without AVX-512, where it trains these
# networks 1.7 times as fast all the same. It reads this when it is first imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_HOMES = {
    "CaptionsConfig": "kerasgan.config.settings",
    "ClassifierConfig": "kerasgan.config.settings",
    "DataConfig": "kerasgan.config.settings",
    "GanConfig": "kerasgan.config.settings",
    "Settings": "kerasgan.config.settings",
    "TrainingConfig": "kerasgan.config.settings",
    "build_captioner": "kerasgan.captioning.captioner",
    "build_classifier": "kerasgan.classification.networks",
    "build_discriminator": "kerasgan.gan.discriminator",
    "build_generator": "kerasgan.gan.generator",
    "build_image_branch": "kerasgan.encoders.image_branch",
    "build_text_branch": "kerasgan.encoders.text_branch",
    "load_captioner": "kerasgan.captioning.pipeline",
    "load_classifier": "kerasgan.classification.classifier",
    "load_data": "kerasgan.data",
    "load_gan": "kerasgan.gan.image_generator",
    "save_imgs": "kerasgan.gan.image_generator",
    "train_captions": "kerasgan.captioning.train_captions",
    "train_classifier": "kerasgan.classification.train_classifier",
    "train_gan": "kerasgan.gan.train_gan",
}

__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__():
    return __all__


@wrapt.when_imported("tensorflow_datasets")
def _register_data_sets(module):
    importlib.import_module("kerasgan.data.builders")


@wrapt.when_imported("keras")
def _register_keras_objects(module):
    importlib.import_module("kerasgan.serialization")
