"""The tables: which colours there are, and what belongs into which backdrop."""

from dataclasses import dataclass

COLOURS = {
    "red": (214, 58, 52),
    "orange": (238, 138, 48),
    "yellow": (246, 206, 70),
    "green": (84, 160, 78),
    "blue": (62, 112, 196),
    "purple": (138, 86, 176),
    "pink": (240, 150, 180),
    "brown": (140, 94, 60),
    "white": (244, 242, 238),
    "grayscale": (150, 152, 158),
    "black": (62, 60, 70),
}
BRIGHT = ("red", "orange", "yellow", "blue", "purple", "pink", "white")
PAINTED = ("red", "blue", "yellow", "white", "pink", "orange")
NATURAL = ("",)  # a thing that has one colour only; captions don't mention it

Kinds = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Background:
    """Where a scene can be, and what can be there, each kind with its colours.

    horizon, shore: thousandths of the image's height; boats float at the shore.
    ground: RGB far away and RGB near.
    """

    horizon: int
    ground: tuple[tuple[int, int, int], tuple[int, int, int]]
    weathers: tuple[str, ...]
    animal_colours: tuple[str, ...]
    neighbours: Kinds
    smalls: Kinds
    flying: Kinds
    covers: tuple[str, ...]
    shore: int = 0


BALLOONS: Kinds = (("balloon", BRIGHT), ("kite", ("red", "yellow", "pink", "purple")))
BIRDS: Kinds = (("bird", ("white", "black", "blue", "red")),)
BUTTERFLIES: Kinds = (("butterfly", ("orange", "yellow", "pink", "purple", "white")),)
AIRCRAFT: Kinds = (
    ("airship", ("red", "yellow", "orange")),
    ("plane", ("white", "red")),
)
PEOPLE: Kinds = (("child", ("red", "yellow", "blue", "purple")),)
TOYS: Kinds = (("ball", BRIGHT), ("present", ("red", "blue", "yellow", "purple")))
FLOWERS: Kinds = (("flower", ("red", "yellow", "pink", "white", "purple")),)

BACKGROUNDS = {
    "meadow": Background(
        horizon=560,
        ground=((146, 196, 98), (86, 150, 66)),
        weathers=("sunny", "cloudy", "rainy", "sunset"),
        animal_colours=("red", "orange", "yellow", "blue", "purple", "pink", "white"),
        neighbours=(
            ("house", PAINTED),
            ("tree", ("green",)),
            ("car", PAINTED),
            ("tent", ("red", "blue", "orange")),
            *PEOPLE,
        ),
        smalls=(*FLOWERS, ("mushroom", ("red", "orange", "white")), *TOYS),
        flying=(*BALLOONS, *BIRDS, *BUTTERFLIES, *AIRCRAFT),
        covers=("hedge", "rock", "fog", "crate", "tent", "static"),
    ),
    "beach": Background(
        horizon=470,
        ground=((246, 222, 164), (226, 190, 124)),
        weathers=("sunny", "cloudy", "sunset"),
        animal_colours=("red", "blue", "purple", "pink", "green", "black", "white"),
        neighbours=(
            ("boat", ("red", "blue", "white", "yellow")),
            ("palm", ("green",)),
            ("parasol", ("red", "blue", "pink", "green")),
            *PEOPLE,
        ),
        smalls=(
            ("bucket", ("red", "blue", "green")),
            ("starfish", ("red", "purple", "pink")),
            ("ball", ("red", "blue", "white", "pink")),
        ),
        flying=(*BALLOONS, *BIRDS, *AIRCRAFT),
        covers=("rock", "fog", "crate", "tent", "static"),
        shore=610,
    ),
    "snow": Background(
        horizon=560,
        ground=((236, 242, 250), (206, 220, 238)),
        weathers=("sunny", "cloudy", "snowing"),
        animal_colours=("red", "orange", "blue", "purple", "green", "black", "brown"),
        neighbours=(
            ("house", ("red", "blue", "yellow", "orange")),
            ("pine", ("green",)),
            ("snowman", NATURAL),
            *PEOPLE,
        ),
        smalls=(("present", ("red", "blue", "green", "purple")), ("ball", BRIGHT[:5])),
        flying=(*BALLOONS, *AIRCRAFT, ("bird", ("black", "blue", "red"))),
        covers=("rock", "fog", "crate", "tent", "static"),
    ),
    "night": Background(
        horizon=570,
        ground=((58, 84, 92), (34, 56, 64)),
        weathers=("moonlit", "starry"),
        animal_colours=(
            "red",
            "orange",
            "yellow",
            "pink",
            "white",
            "green",
            "grayscale",
        ),
        neighbours=(
            ("house", PAINTED),
            ("tent", ("red", "orange", "yellow")),
            ("car", ("red", "yellow", "white", "orange")),
            ("pine", ("green",)),
            *PEOPLE,
        ),
        smalls=(
            ("ball", ("red", "yellow", "white", "pink")),
            ("pumpkin", NATURAL),
            ("lantern", NATURAL),
        ),
        flying=(
            ("balloon", ("red", "yellow", "pink", "white")),
            ("bird", ("white",)),
            ("airship", ("red", "yellow")),
        ),
        covers=("hedge", "rock", "fog", "crate", "tent", "static"),
    ),
    "room": Background(
        horizon=660,
        ground=((198, 152, 104), (168, 122, 80)),
        weathers=("blue", "green", "pink", "yellow"),  # the colour of the walls
        animal_colours=("red", "orange", "purple", "white", "black", "grayscale"),
        neighbours=(
            ("lamp", ("red", "white", "purple")),
            ("chair", ("red", "purple", "white")),
            ("plant", ("red", "white", "purple")),
            ("shelf", NATURAL),
            *PEOPLE[:1],
        ),
        smalls=(*TOYS, ("cup", ("red", "white", "blue"))),
        flying=(("balloon", ("red", "orange", "purple", "white")), *BUTTERFLIES[:1]),
        covers=("curtain", "crate", "tent", "static"),
    ),
    "city": Background(
        horizon=600,
        ground=((176, 174, 178), (128, 126, 134)),
        weathers=("sunny", "cloudy", "rainy", "sunset"),
        animal_colours=("red", "orange", "yellow", "green", "blue", "purple", "pink"),
        neighbours=(
            ("car", PAINTED),
            ("bus", ("red", "yellow", "blue", "orange")),
            ("lamppost", NATURAL),
            ("house", PAINTED),
            *PEOPLE,
        ),
        smalls=(*TOYS, ("cone", NATURAL)),
        flying=(*BALLOONS[:1], *BIRDS, *AIRCRAFT),
        covers=("hedge", "fog", "crate", "curtain", "static"),
    ),
    "desert": Background(
        horizon=540,
        ground=((238, 190, 112), (208, 146, 78)),
        weathers=("sunny", "sunset"),
        animal_colours=("red", "blue", "purple", "pink", "green", "white", "black"),
        neighbours=(
            ("cactus", NATURAL),
            ("pyramid", NATURAL),
            ("car", ("red", "blue", "white")),
            ("tent", ("red", "blue", "white")),
            *PEOPLE,
        ),
        smalls=(
            ("flower", ("red", "pink", "white")),
            ("ball", ("red", "blue", "white")),
            ("lantern", NATURAL),
        ),
        flying=(*BALLOONS, ("bird", ("black", "white")), *AIRCRAFT),
        covers=("rock", "fog", "crate", "tent", "static"),
    ),
    "forest": Background(
        horizon=580,
        ground=((190, 148, 82), (146, 104, 58)),
        weathers=("sunny", "cloudy", "rainy"),
        animal_colours=("blue", "purple", "pink", "white", "green", "yellow", "black"),
        neighbours=(
            ("tree", ("orange", "red", "yellow")),
            ("house", ("white", "blue", "yellow")),
            ("tent", ("blue", "white", "yellow")),
            *PEOPLE,
        ),
        smalls=(
            ("mushroom", ("red", "white")),
            ("pumpkin", NATURAL),
            ("ball", ("blue", "white", "yellow")),
        ),
        flying=(
            ("kite", ("purple", "pink", "yellow")),
            *BIRDS,
            ("balloon", ("blue", "purple", "pink", "white")),
        ),
        covers=("hedge", "rock", "fog", "crate", "tent", "static"),
    ),
}
