"""Networks that others trained: those of `keras.applications`, by their names."""

import difflib
import functools
import inspect
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np

from kerasgan.errors import UserError
from kerasgan.layers.application_preprocessing import (
    ApplicationPreprocessing,
    family_of,
)

SUFFIXES = (".weights.h5", ".h5", ".keras")
UNREADABLE = (
    ValueError,
    KeyError,
    OSError,
    RuntimeError,
    UserWarning,
    zipfile.BadZipFile,
)
IMAGENET_DEVIATION = np.float32([0.229, 0.224, 0.225])  # of red, green, blue


@functools.cache
def applications():
    """The functions of `keras.applications` that build a network, by their names."""
    members = inspect.getmembers(keras.applications, inspect.isfunction)
    return dict(members)


def find_application(name, others=()):
    """The name of a network as `keras.applications` spells it.

    Args:
        name: str, in large or small letters.
        others: further names to propose.

    Raises:
        UserError: there is none; the message has the names that are near.
    """
    known = {one.lower(): one for one in applications()}
    if name.lower() in known:
        return known[name.lower()]
    proposed = known | {one.lower(): one for one in others}
    near = difflib.get_close_matches(name.lower(), proposed, n=5, cutoff=0.5)
    names = ", ".join(proposed[one] for one in near or sorted(proposed))
    raise UserError(
        f"There is no such backbone. Received: {name}."
        f" {'Near it are' if near else 'There are'}: {names}"
    )


def build_application(name, image_size, weights="imagenet"):
    """A network of `keras.applications` without its head.

    The images are prepared inside, as the network's family wants them, so that a
    saved or exported model takes plain images.

    Args:
        name: as `keras.applications` spells it: `"MobileNetV3Small"`.
        image_size: side of the images in pixels.
        weights: `"imagenet"`, fetched by Keras and kept in `~/.keras`; None for
            random ones; or the path of a file: `.weights.h5` or `.keras`, saved from
            this model or from the bare network, or the `.h5` without head ("notop")
            that Keras publishes. Nothing but numbers is read from a file.

    Raises:
        UserError: the size does not suit the network, the weights could not be
            fetched, or the file is not there or does not fit.

    Returns:
        A `keras.Model`: images `(n, image_size, image_size, 3)`, RGB, float or uint8
        in [0, 255], to a grid `(n, height, width, channels)`. With weights it is not
        trainable.
    """
    file = None if weights in ("imagenet", None) else _existing_file(weights)
    network = _build_network(name, image_size, None if file else weights)
    images = keras.Input((image_size, image_size, 3), name="image")
    prepared = ApplicationPreprocessing(family_of(name), name="preprocessing")(images)
    model = keras.Model(images, network(prepared), name="image_encoder")
    if file:
        _load_weights(model, network, file, name)
    if weights is not None:
        model.trainable = False
    return model


def _build_network(name, image_size, weights):
    build, shape = applications()[name], (image_size, image_size, 3)
    try:
        with warnings.catch_warnings():
            # "Weights for input shape (224, 224)" suit any size without the head.
            warnings.filterwarnings("ignore", "`input_shape` is undefined", UserWarning)
            return build(include_top=False, weights=weights, input_shape=shape)
    except ValueError as error:
        raise UserError(
            f"{name} cannot be built so. Received: image_size={image_size},"
            f" weights={weights}. Keras says: {error}"
        ) from error
    except Exception as error:  # Keras raises no narrower one where a download fails
        if weights is None:
            raise
        raise UserError(
            f"The ImageNet weights of {name} could not be fetched: {error}. Give the"
            " path of a file with weights instead, fetched on another machine"
            f" ({', '.join(SUFFIXES)}), or none for random weights."
        ) from error


def _existing_file(weights):
    path = Path(weights).expanduser().absolute()
    if not path.name.endswith(SUFFIXES):
        raise UserError(
            'weights must be "imagenet", none, or the path of a file that ends in'
            f" {', '.join(SUFFIXES)}. Received: {weights}"
        )
    if not path.is_file():
        raise UserError(f"There is no file with weights at {path}")
    return path


def _load_weights(model, network, path, name):
    """Reads weights that were saved from the bare network or from the whole model."""
    try:
        try:
            _read_weights(network, path)
        except (ValueError, UserWarning):
            _read_weights(model, path)
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [""])[0]
        raise UserError(
            f"The weights in {path} are not of {name}. Keras says: {reason}"
        ) from error
    _restore_deviation(network)


def _read_weights(model, path):
    # Never `load_model`: what a file asks to be built is not asked here.
    with warnings.catch_warnings():
        # Keras only warns where a part of the weights is missing.
        warnings.simplefilter("error", UserWarning)
        model.load_weights(path)


def _restore_deviation(network):
    """Squares what EfficientNet's ImageNet weights give as the variance.

    They hold the standard deviation in its place. Keras mends that by one more layer,
    but only where it fetches the weights itself (tensorflow/tensorflow#49930).
    """
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            mean, variance, count = layer.get_weights()
            if np.allclose(variance, IMAGENET_DEVIATION, atol=1e-3):
                layer.set_weights([mean, variance**2, count])
                layer.finalize_state()
