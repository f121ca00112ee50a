"""Changes that networks need before they can be exported."""

import keras
import numpy as np

from kerasgan.layers.traversal import find_layers


def disable_cudnn(network: keras.Model) -> None:
    """Makes the LSTMs of a network run on any processor.

    Keras selects the LSTM of cuDNN while it traces on a GPU. The exported graph would
    then run on GPUs only.

    Args:
        network: a model, changed in place.
    """
    for layer in find_layers(network, keras.layers.LSTM):
        layer.use_cudnn = False


def unroll_lstms(network: keras.Model, unroll: bool) -> None:
    """Sets whether the LSTMs of a network are unrolled when they are traced.

    LiteRT does not support lists of tensors with an unknown batch size, which an LSTM
    uses that is not unrolled.

    Args:
        network: a model, changed in place.
        unroll: the value of `keras.layers.LSTM.unroll`.
    """
    for layer in find_layers(network, keras.layers.LSTM):
        layer.unroll = unroll


def freeze_constants(network: keras.Model) -> None:
    """Converts the statistics of `Normalization` layers to numpy arrays.

    A tensor that was created outside of the traced graph would become another input of
    an ONNX model.

    Args:
        network: a model, changed in place.
    """
    for layer in find_layers(network, keras.layers.Normalization):
        layer.mean, layer.variance = np.array(layer.mean), np.array(layer.variance)


def with_valid_layer_names(network: keras.Model) -> keras.Model:
    """Copies a functional model and gives it layer names that a SavedModel allows.

    The layers of EfficientNet are named as in a PyTorch file, with a leading
    underscore, which TensorFlow does not allow.

    Args:
        network: a functional model.

    Returns:
        A model with the same weights. Layers whose names are valid are shared with
        `network`.
    """

    def rename(layer):
        if isinstance(layer, keras.Model):
            return with_valid_layer_names(layer)
        if not layer.name.startswith("_"):
            return layer
        config = layer.get_config()
        config["name"] = config["name"].lstrip("_")
        return type(layer).from_config(config)

    copy = keras.models.clone_model(network, clone_function=rename)
    copy.set_weights(network.get_weights())
    return copy
