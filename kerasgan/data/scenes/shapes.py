"""What things are built of: ovals, boxes, polygons and lines in a square of 100.

x runs to the right, y runs down, and things stand on y = 100. A tone is "base" (the
thing's own colour), "dark" or "light" (shades of it), or one of FIXED.
"""

from typing import NamedTuple

FIXED = {
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
    form: str  # "oval", "box", "poly" or "line"
    tone: str
    xy: tuple[int, ...]
    width: int = 0  # of a line


def oval(tone: str, x: int, y: int, rx: int, ry: int) -> Shape:
    """An ellipse around (x, y)."""
    return Shape("oval", tone, (x - rx, y - ry, x + rx, y + ry))


def box(tone: str, *corners: int) -> Shape:
    """A rectangle from its left, top, right and bottom."""
    return Shape("box", tone, corners)


def poly(tone: str, *points: int) -> Shape:
    return Shape("poly", tone, points)


def line(tone: str, width: int, *points: int) -> Shape:
    return Shape("line", tone, points, width)
