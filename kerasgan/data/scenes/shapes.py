"""Ovals, boxes, polygons and lines in a square of 100, from which figures are built.

x runs to the right, y runs down, and figures stand on y = 100. A tone is "base" (the
color of the object), "dark" or "light" (shades of it), or a key of `FIXED_TONES`.
"""

from typing import NamedTuple

FIXED_TONES = {
    "ink": (38, 34, 44),
    "snow": (250, 250, 252),
    "blush": (238, 146, 150),
    "beak": (244, 164, 44),
    "skin": (242, 200, 164),
    "hair": (96, 62, 40),
    "jeans": (66, 84, 130),
    "wood": (134, 92, 60),
    "plank": (196, 148, 92),
    "glass": (186, 222, 240),
    "glow": (255, 236, 150),
    "leaf": (78, 150, 74),
    "moss": (60, 122, 62),
    "sand": (224, 182, 112),
    "shade": (190, 146, 84),
    "stone": (140, 142, 150),
    "pebble": (168, 170, 176),
    "steel": (92, 96, 108),
    "pumpkin": (236, 124, 36),
    "rib": (204, 98, 28),
    "cloth": (170, 48, 60),
    "fold": (136, 34, 50),
}


class Shape(NamedTuple):
    """One shape of a figure.

    Attributes:
        form: "oval", "box", "poly" or "line".
        tone: name of the tone that fills it.
        xy: x and y of its points in turn.
        width: width of a line.
    """

    form: str
    tone: str
    xy: tuple[int, ...]
    width: int = 0


def oval(tone: str, x: int, y: int, rx: int, ry: int) -> Shape:
    """Returns an ellipse around (x, y) with the radii `rx` and `ry`."""
    return Shape("oval", tone, (x - rx, y - ry, x + rx, y + ry))


def box(tone: str, *corners: int) -> Shape:
    """Returns a rectangle from its left, top, right and bottom."""
    return Shape("box", tone, corners)


def poly(tone: str, *points: int) -> Shape:
    """Returns a polygon from the x and y of its points in turn."""
    return Shape("poly", tone, points)


def line(tone: str, width: int, *points: int) -> Shape:
    """Returns a line from its width and the x and y of its points in turn."""
    return Shape("line", tone, points, width)
