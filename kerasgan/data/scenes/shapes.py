"""What every thing looks like: ovals, boxes, polygons and lines in a square of 100.

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


ANIMALS = {
    "cat": (
        line("dark", 9, 76, 92, 92, 84, 94, 66, 86, 54),
        oval("base", 50, 74, 28, 26),
        poly("base", 22, 40, 22, 6, 48, 20),
        poly("base", 78, 40, 78, 6, 52, 20),
        oval("base", 50, 37, 30, 23),
        oval("light", 50, 80, 15, 17),
        poly("blush", 27, 28, 27, 15, 38, 22),
        poly("blush", 73, 28, 73, 15, 62, 22),
        oval("light", 36, 96, 10, 5),
        oval("light", 64, 96, 10, 5),
        oval("ink", 39, 35, 4, 6),
        oval("ink", 61, 35, 4, 6),
        poly("blush", 45, 44, 55, 44, 50, 49),
        line("ink", 2, 34, 46, 14, 42),
        line("ink", 2, 66, 46, 86, 42),
    ),
    "duck": (
        line("beak", 6, 38, 88, 38, 98, 48, 98),
        line("beak", 6, 54, 88, 54, 98, 64, 98),
        poly("base", 14, 72, 0, 44, 32, 56),
        oval("base", 44, 70, 36, 22),
        poly("base", 50, 62, 56, 30, 78, 40, 78, 72),
        oval("base", 66, 30, 20, 19),
        poly("beak", 83, 24, 100, 34, 82, 41),
        oval("dark", 38, 68, 20, 12),
        oval("ink", 71, 26, 4, 5),
    ),
    "elephant": (
        line("dark", 4, 10, 50, 3, 66, 4, 74),
        box("dark", 22, 66, 34, 99),
        box("dark", 58, 66, 70, 99),
        oval("base", 40, 54, 36, 29),
        box("base", 12, 62, 26, 99),
        box("base", 46, 62, 60, 99),
        line("base", 11, 84, 44, 92, 62, 90, 82, 97, 88),
        oval("base", 72, 40, 21, 22),
        poly("snow", 80, 56, 86, 56, 94, 70),
        oval("dark", 56, 42, 16, 23),
        oval("ink", 80, 34, 3, 4),
    ),
    "giraffe": (
        line("dark", 3, 18, 62, 8, 72, 8, 80),
        box("dark", 30, 66, 36, 99),
        box("dark", 62, 66, 68, 99),
        oval("base", 42, 62, 28, 15),
        box("base", 18, 62, 26, 99),
        box("base", 52, 62, 60, 99),
        line("dark", 3, 72, 12, 70, 2),
        line("dark", 3, 80, 10, 80, 1),
        poly("base", 50, 62, 68, 64, 82, 18, 68, 14),
        oval("base", 80, 17, 17, 10),
        oval("dark", 30, 59, 7, 5),
        oval("dark", 46, 66, 6, 5),
        oval("dark", 47, 54, 5, 4),
        oval("dark", 62, 52, 5, 5),
        oval("dark", 67, 40, 4, 5),
        oval("dark", 72, 29, 4, 4),
        oval("ink", 81, 14, 3, 4),
    ),
    "rabbit": (
        oval("snow", 78, 86, 10, 10),
        oval("base", 50, 76, 27, 24),
        oval("base", 37, 22, 9, 22),
        oval("base", 63, 22, 9, 22),
        oval("blush", 37, 22, 4, 16),
        oval("blush", 63, 22, 4, 16),
        oval("base", 50, 50, 24, 20),
        oval("light", 50, 82, 14, 14),
        oval("light", 34, 96, 13, 5),
        oval("light", 66, 96, 13, 5),
        oval("ink", 41, 47, 4, 5),
        oval("ink", 59, 47, 4, 5),
        poly("blush", 46, 55, 54, 55, 50, 60),
        box("snow", 47, 61, 53, 67),
    ),
    "turtle": (
        oval("light", 88, 66, 13, 12),
        poly("light", 66, 84, 68, 72, 90, 64, 92, 78),
        oval("light", 22, 90, 11, 10),
        oval("light", 66, 90, 11, 10),
        poly("light", 12, 78, 0, 90, 16, 88),
        poly("base", 4, 84, 8, 60, 22, 42, 40, 34, 50, 34, 66, 42, 78, 60, 82, 84),
        box("dark", 4, 80, 82, 86),
        poly("dark", 36, 58, 43, 46, 53, 46, 58, 58, 53, 70, 41, 70),
        poly("dark", 14, 74, 16, 58, 26, 52, 30, 64, 26, 74),
        poly("dark", 64, 74, 62, 60, 68, 54, 74, 64, 74, 74),
        oval("ink", 92, 62, 3, 4),
    ),
}

NEIGHBOURS = {
    "house": (
        box("stone", 68, 10, 80, 40),
        box("base", 14, 46, 86, 100),
        poly("cloth", 2, 50, 50, 8, 98, 50),
        box("wood", 42, 68, 58, 100),
        box("glow", 20, 58, 36, 74),
        box("glow", 64, 58, 80, 74),
    ),
    "tree": (
        box("wood", 43, 56, 57, 100),
        oval("dark", 30, 46, 24, 22),
        oval("dark", 70, 46, 24, 22),
        oval("base", 50, 32, 32, 28),
    ),
    "pine": (
        box("wood", 44, 82, 56, 100),
        poly("base", 14, 86, 50, 40, 86, 86),
        poly("base", 20, 62, 50, 22, 80, 62),
        poly("base", 28, 38, 50, 2, 72, 38),
        poly("snow", 40, 18, 50, 2, 60, 18),
    ),
    "palm": (
        line("wood", 8, 42, 100, 46, 70, 54, 32),
        poly("base", 54, 34, 24, 18, 2, 36, 26, 28),
        poly("base", 54, 34, 84, 18, 100, 40, 80, 30),
        poly("base", 54, 34, 40, 6, 18, 4, 36, 16),
        poly("base", 54, 34, 66, 4, 90, 8, 72, 16),
        oval("wood", 54, 36, 6, 5),
    ),
    "boat": (
        line("wood", 4, 50, 6, 50, 72),
        poly("snow", 54, 10, 54, 64, 88, 64),
        poly("light", 46, 20, 46, 64, 16, 64),
        poly("base", 4, 70, 96, 70, 80, 96, 20, 96),
        line("dark", 4, 14, 82, 86, 82),
    ),
    "car": (
        poly("base", 20, 62, 34, 36, 70, 36, 84, 62),
        poly("glass", 28, 60, 37, 42, 49, 42, 49, 60),
        poly("glass", 54, 60, 54, 42, 67, 42, 76, 60),
        box("base", 2, 60, 98, 86),
        box("glow", 90, 66, 98, 73),
        oval("ink", 24, 88, 12, 12),
        oval("ink", 76, 88, 12, 12),
        oval("pebble", 24, 88, 5, 5),
        oval("pebble", 76, 88, 5, 5),
    ),
    "bus": (
        box("base", 2, 36, 98, 88),
        box("glass", 10, 44, 28, 62),
        box("glass", 34, 44, 52, 62),
        box("glass", 58, 44, 76, 62),
        box("glass", 82, 44, 96, 76),
        line("light", 4, 4, 70, 78, 70),
        oval("ink", 24, 90, 10, 10),
        oval("ink", 74, 90, 10, 10),
        oval("pebble", 24, 90, 4, 4),
        oval("pebble", 74, 90, 4, 4),
    ),
    "tent": (
        poly("base", 2, 100, 50, 20, 98, 100),
        poly("dark", 50, 20, 30, 100, 70, 100),
        poly("ink", 50, 44, 40, 100, 60, 100),
    ),
    "parasol": (
        line("snow", 4, 50, 30, 50, 100),
        poly("base", 2, 46, 10, 26, 28, 12, 50, 8, 72, 12, 90, 26, 98, 46),
        poly("snow", 28, 46, 38, 12, 50, 8, 62, 12, 72, 46),
        poly("base", 42, 46, 46, 10, 54, 10, 58, 46),
    ),
    "child": (
        box("jeans", 36, 68, 48, 98),
        box("jeans", 52, 68, 64, 98),
        line("base", 9, 36, 40, 22, 58),
        line("base", 9, 64, 40, 80, 28),
        poly("base", 34, 34, 66, 34, 70, 74, 30, 74),
        oval("hair", 50, 16, 18, 16),
        oval("skin", 50, 20, 15, 14),
        oval("ink", 44, 20, 2, 3),
        oval("ink", 56, 20, 2, 3),
    ),
    "snowman": (
        oval("snow", 50, 78, 28, 22),
        oval("snow", 50, 46, 21, 18),
        oval("snow", 50, 22, 16, 15),
        line("cloth", 7, 36, 35, 64, 35),
        box("ink", 36, 0, 64, 10),
        line("wood", 3, 30, 44, 10, 32),
        line("wood", 3, 70, 44, 90, 32),
        oval("ink", 45, 20, 2, 3),
        oval("ink", 55, 20, 2, 3),
        poly("beak", 50, 23, 64, 27, 50, 28),
    ),
    "lamp": (
        line("steel", 4, 50, 36, 50, 96),
        oval("steel", 50, 96, 20, 4),
        poly("base", 34, 4, 66, 4, 82, 38, 18, 38),
        line("glow", 4, 20, 38, 80, 38),
    ),
    "chair": (
        box("wood", 22, 60, 29, 100),
        box("wood", 72, 60, 79, 100),
        box("base", 20, 10, 34, 66),
        box("light", 20, 54, 80, 70),
    ),
    "plant": (
        poly("leaf", 50, 66, 20, 50, 8, 24, 38, 40),
        poly("leaf", 50, 66, 80, 50, 92, 24, 62, 40),
        poly("leaf", 50, 66, 36, 30, 50, 0, 64, 30),
        poly("base", 26, 64, 74, 64, 66, 100, 34, 100),
        box("dark", 22, 60, 78, 70),
    ),
    "shelf": (
        box("wood", 10, 4, 90, 100),
        box("hair", 16, 10, 84, 48),
        box("hair", 16, 56, 84, 94),
        box("cloth", 20, 18, 30, 48),
        box("jeans", 32, 14, 42, 48),
        box("glow", 44, 20, 52, 48),
        box("leaf", 60, 16, 72, 48),
        box("beak", 22, 62, 36, 94),
        box("glass", 40, 66, 50, 94),
        box("blush", 62, 60, 72, 94),
    ),
    "lamppost": (
        line("steel", 5, 50, 18, 50, 96),
        box("steel", 38, 94, 62, 100),
        poly("glow", 38, 4, 62, 4, 57, 24, 43, 24),
        line("steel", 4, 36, 4, 64, 4),
    ),
    "cactus": (
        line("moss", 13, 26, 40, 26, 62, 50, 62),
        line("moss", 13, 76, 28, 76, 50, 50, 50),
        box("leaf", 40, 14, 60, 100),
        oval("leaf", 50, 14, 10, 10),
        oval("moss", 26, 40, 6, 6),
        oval("moss", 76, 28, 6, 6),
    ),
    "pyramid": (
        poly("sand", 0, 100, 52, 22, 100, 100),
        poly("shade", 52, 22, 100, 100, 66, 100),
    ),
}

SMALLS = {
    "ball": (oval("base", 50, 60, 40, 40), oval("light", 38, 46, 14, 14)),
    "flower": (
        line("leaf", 8, 50, 44, 50, 98),
        oval("leaf", 64, 80, 14, 7),
        oval("base", 50, 14, 16, 16),
        oval("base", 24, 32, 16, 16),
        oval("base", 76, 32, 16, 16),
        oval("base", 34, 58, 16, 16),
        oval("base", 66, 58, 16, 16),
        oval("glow", 50, 37, 15, 15),
    ),
    "mushroom": (
        box("snow", 36, 52, 64, 98),
        poly("base", 4, 62, 10, 34, 30, 14, 50, 8, 70, 14, 90, 34, 96, 62),
        oval("snow", 34, 36, 8, 8),
        oval("snow", 66, 42, 8, 8),
    ),
    "present": (
        box("base", 10, 34, 90, 98),
        box("glow", 43, 34, 57, 98),
        box("glow", 10, 58, 90, 70),
        oval("glow", 36, 24, 14, 10),
        oval("glow", 64, 24, 14, 10),
    ),
    "bucket": (
        line("steel", 6, 16, 38, 30, 10, 70, 10, 84, 38),
        poly("base", 10, 36, 90, 36, 76, 98, 24, 98),
        box("light", 8, 32, 92, 44),
    ),
    "starfish": (
        poly("base", 50, 14, 62, 44, 96, 46, 70, 66, 80, 98, 50, 80, 20, 98, 30, 66,
             4, 46, 38, 44),
        oval("light", 50, 60, 10, 10),
    ),
    "pumpkin": (
        line("moss", 8, 50, 36, 54, 14),
        oval("rib", 28, 66, 26, 30),
        oval("rib", 72, 66, 26, 30),
        oval("pumpkin", 50, 66, 24, 32),
    ),
    "lantern": (
        line("steel", 6, 34, 26, 50, 4, 66, 26),
        box("steel", 24, 24, 76, 98),
        box("glow", 32, 36, 68, 86),
    ),
    "cup": (
        oval("dark", 78, 64, 18, 18),
        poly("base", 14, 32, 80, 32, 72, 98, 22, 98),
        oval("hair", 47, 33, 32, 8),
    ),
    "cone": (
        box("pumpkin", 8, 86, 92, 98),
        poly("pumpkin", 24, 88, 44, 8, 56, 8, 76, 88),
        poly("snow", 34, 52, 38, 34, 62, 34, 66, 52),
    ),
}

FLYING = {
    "balloon": (
        line("snow", 3, 50, 66, 46, 82, 52, 100),
        oval("base", 50, 34, 28, 34),
        poly("dark", 44, 72, 56, 72, 50, 64),
        oval("light", 40, 24, 8, 11),
    ),
    "kite": (
        line("snow", 3, 50, 66, 40, 80, 54, 88, 44, 100),
        poly("base", 50, 0, 80, 30, 50, 72, 20, 30),
        poly("light", 50, 0, 80, 30, 50, 30),
        poly("dark", 50, 30, 50, 72, 20, 30),
    ),
    "bird": (
        poly("dark", 46, 52, 26, 10, 66, 46),
        oval("base", 46, 56, 26, 13),
        oval("base", 72, 48, 13, 12),
        poly("base", 24, 56, 0, 44, 4, 64),
        poly("beak", 84, 44, 98, 50, 83, 54),
        poly("dark", 36, 52, 40, 14, 58, 52),
        oval("ink", 75, 46, 3, 3),
    ),
    "butterfly": (
        oval("base", 28, 32, 24, 24),
        oval("base", 72, 32, 24, 24),
        oval("dark", 32, 68, 17, 17),
        oval("dark", 68, 68, 17, 17),
        line("ink", 8, 50, 20, 50, 82),
    ),
    "airship": (
        oval("base", 50, 36, 38, 36),
        oval("light", 50, 36, 14, 35),
        line("wood", 3, 26, 64, 42, 84),
        line("wood", 3, 74, 64, 58, 84),
        box("wood", 38, 82, 62, 98),
    ),
    "plane": (
        poly("dark", 8, 48, 0, 22, 16, 24, 26, 48),
        oval("base", 52, 54, 48, 14),
        poly("dark", 42, 56, 24, 88, 40, 88, 66, 56),
        oval("glass", 84, 49, 7, 4),
        oval("glass", 64, 49, 4, 4),
        oval("glass", 50, 49, 4, 4),
    ),
}

COVERS = {
    "hedge": (
        box("moss", 2, 22, 98, 100),
        oval("leaf", 16, 24, 18, 20),
        oval("leaf", 50, 16, 24, 20),
        oval("leaf", 84, 24, 18, 20),
        oval("leaf", 14, 58, 16, 18),
        oval("leaf", 48, 56, 20, 20),
        oval("leaf", 84, 58, 16, 18),
        oval("moss", 32, 82, 16, 14),
        oval("moss", 68, 82, 16, 14),
    ),
    "rock": (
        poly("stone", 0, 100, 2, 40, 20, 8, 52, 0, 84, 10, 98, 44, 100, 100),
        poly("pebble", 20, 8, 52, 0, 84, 10, 62, 30, 30, 34),
        poly("steel", 98, 44, 100, 100, 72, 100, 66, 60),
    ),
    "crate": (
        box("plank", 0, 2, 100, 100),
        line("wood", 3, 2, 34, 98, 34),
        line("wood", 3, 2, 68, 98, 68),
        line("wood", 9, 4, 6, 96, 96),
        line("wood", 9, 4, 2, 4, 100),
        line("wood", 9, 96, 2, 96, 100),
        line("wood", 9, 0, 6, 100, 6),
        line("wood", 9, 0, 96, 100, 96),
    ),
    "tent": (
        poly("cloth", -14, 100, 20, 4, 80, 4, 114, 100),
        poly("fold", 34, 4, 66, 4, 78, 100, 22, 100),
        line("snow", 3, 50, 4, 50, 100),
    ),
    "curtain": (
        box("cloth", 0, 2, 100, 100),
        box("fold", 12, 6, 22, 99),
        box("fold", 36, 6, 46, 99),
        box("fold", 60, 6, 70, 99),
        box("fold", 84, 6, 92, 99),
        box("wood", -4, -2, 104, 6),
    ),
}

SHAPES = {**NEIGHBOURS, **SMALLS, **FLYING, **ANIMALS}
