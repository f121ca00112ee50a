"""The builder of the scenes that kerasgan draws itself."""

from kerasgan.data.builders.base import PairBuilder


class Scenes(PairBuilder):
    """Drawn scenes of several objects, each with five captions and a class."""

    name = "scenes"
