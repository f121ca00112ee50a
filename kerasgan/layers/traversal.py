"""Finds layers inside a model."""

from collections.abc import Iterator

import keras


def find_layers(
    model: keras.layers.Layer, kind: type[keras.layers.Layer]
) -> Iterator[keras.layers.Layer]:
    """Yields all layers of a class in a model, at any depth.

    Args:
        model: a model, or a layer with sublayers in `layers`.
        kind: the class.
    """
    for layer in getattr(model, "layers", ()):
        if isinstance(layer, kind):
            yield layer
        yield from find_layers(layer, kind)
