"""Pictures that come with words: GANs, classifiers and captions in readable Keras 3.

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
    "CaptionsConfig": "kerasgan.config",
    "ClassifierConfig": "kerasgan.config",
    "DataConfig": "kerasgan.config",
    "GanConfig": "kerasgan.config",
    "Settings": "kerasgan.config",
    "TrainingConfig": "kerasgan.config",
    "build_captioner": "kerasgan.models.captioner",
    "build_classifier": "kerasgan.models.classifier",
    "build_discriminator": "kerasgan.models.discriminator",
    "build_generator": "kerasgan.models.generator",
    "build_image_branch": "kerasgan.models.image_branch",
    "build_text_branch": "kerasgan.models.text_branch",
    "load_captioner": "kerasgan.training.caption_forger",
    "load_classifier": "kerasgan.training.trained_classifier",
    "load_data": "kerasgan.data",
    "load_gan": "kerasgan.training.trained",
    "save_imgs": "kerasgan.training.trained",
    "train_captions": "kerasgan.training.train_captions",
    "train_classifier": "kerasgan.training.train_classifier",
    "train_gan": "kerasgan.training.train_gan",
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
