"""The pretrained networks of `keras.applications`, by name."""

import difflib
import functools
import inspect
import warnings
import zipfile
from collections.abc import Callable, Iterable
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
IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)  # of red, green, blue


@functools.cache
def applications() -> dict[str, Callable[..., keras.Model]]:
    """Returns the functions of `keras.applications` that build a network, by name."""
    members = inspect.getmembers(keras.applications, inspect.isfunction)
    return dict(members)


def find_application(name: str, others: Iterable[str] = ()) -> str:
    """Returns the name of a network as `keras.applications` spells it.

    Args:
        name: in upper or lower case.
        others: further names that the error message may suggest.

    Raises:
        UserError: there is no such network; the message suggests similar names.
    """
    known = {application.lower(): application for application in applications()}
    if name.lower() in known:
        return known[name.lower()]
    suggestions = known | {other.lower(): other for other in others}
    similar = difflib.get_close_matches(name.lower(), suggestions, n=5, cutoff=0.5)
    names = ", ".join(suggestions[key] for key in similar or sorted(suggestions))
    raise UserError(
        f"Unknown backbone. Received: {name}."
        f" {'Similar names' if similar else 'Known names'}: {names}"
    )


def build_application(
    name: str, image_size: int, weights: str | None = "imagenet"
) -> keras.Model:
    """Builds a network of `keras.applications` without its head.

    Its preprocessing is part of the model, so that a saved or exported model takes RGB
    images.

    Args:
        name: as `keras.applications` spells it: `"MobileNetV3Small"`.
        image_size: side of the images in pixels.
        weights: `"imagenet"`, fetched by Keras and kept in `~/.keras`; None for random
            weights; or the path of a file: `.weights.h5` or `.keras`, saved from this
            model or from the bare network, or the `.h5` without head ("notop") that
            Keras publishes. Only numbers are read from a file.

    Returns:
        A `keras.Model`: RGB images `(n, image_size, image_size, 3)`, float or uint8 in
        [0, 255], to features `(n, height, width, channels)`. It is not trainable if it
        has weights.

    Raises:
        UserError: the size does not fit the network, the weights could not be fetched,
            or the file does not exist or does not fit.
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
            # Weights for the input shape (224, 224) fit any size without the head.
            warnings.filterwarnings("ignore", "`input_shape` is undefined", UserWarning)
            return build(include_top=False, weights=weights, input_shape=shape)
    except ValueError as error:
        raise UserError(
            f"{name} cannot be built. Received: image_size={image_size},"
            f" weights={weights}. Keras says: {error}"
        ) from error
    except Exception as error:  # Keras raises no narrower error if a download fails
        if weights is None:
            raise
        raise UserError(
            f"The ImageNet weights of {name} could not be downloaded: {error}. Give"
            " the path of a file with weights that was downloaded on another machine"
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
        raise UserError(f"The file of weights does not exist: {path}")
    return path


def _load_weights(model, network, path, name):
    """Loads weights that were saved from the bare network or from the whole model."""
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
    _restore_variance(network)


def _read_weights(model, path):
    # Not `load_model`: a file of weights must not define what is built.
    with warnings.catch_warnings():
        # Keras only warns if some weights are missing.
        warnings.simplefilter("error", UserWarning)
        model.load_weights(path)


def _restore_variance(network):
    """Squares the standard deviation that EfficientNet's weights have as variance.

    Keras corrects this mistake in the weights with a further layer, but only if it
    downloads the weights itself (tensorflow/tensorflow#49930).
    """
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            mean, variance, count = layer.get_weights()
            if np.allclose(variance, IMAGENET_DEVIATION, atol=1e-3):
                layer.set_weights([mean, variance**2, count])
                layer.finalize_state()
