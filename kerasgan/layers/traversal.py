"""Finds layers inside a model."""


def find_layers(network, kind):
    """All layers of a kind in a network, however deep."""
    for layer in getattr(network, "layers", ()):
        if isinstance(layer, kind):
            yield layer
        yield from find_layers(layer, kind)
