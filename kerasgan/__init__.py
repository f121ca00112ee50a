"""GANs, captions and classifiers for images with text, in readable Keras 3.

Importing the package imports neither TensorFlow nor Keras; each public name does when
it is first used (`__init__.pyi` lists them). The data sets are registered with
tensorflow-datasets, and the layers and models with Keras, as soon as both packages are
imported, in either order.
"""

import importlib
import os

import lazy_loader
import wrapt

# TensorFlow disables oneDNN on processors without AVX-512, where it still trains these
# networks 1.7 times as fast. TensorFlow reads this when it is first imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


@wrapt.when_imported("tensorflow_datasets")
def _register_data_sets(module):
    importlib.import_module("kerasgan.data.builders")


@wrapt.when_imported("keras")
def _register_keras_objects(module):
    importlib.import_module("kerasgan.serialization")
