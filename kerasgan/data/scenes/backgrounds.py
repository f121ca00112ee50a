"""Tables of colors, and of what each background can contain."""

from dataclasses import dataclass

COLORS = {
    "red": (214, 58, 52),
    "orange": (238, 138, 48),
    "yellow": (246, 206, 70),
    "green": (84, 160, 78),
    "blue": (62, 112, 196),
    "purple": (138, 86, 176),
    "pink": (240, 150, 180),
    "brown": (140, 94, 60),
    "white": (244, 242, 238),
    "grey": (150, 152, 158),
    "black": (62, 60, 70),
}
BRIGHT = ("red", "orange", "yellow", "blue", "purple", "pink", "white")
PAINTED = ("red", "blue", "yellow", "white", "pink", "orange")
NATURAL = ("",)  # objects with one fixed color, which captions do not mention

ObjectKinds = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Background:
    """A place where a scene is set, and the objects that it can contain.

    Attributes:
        horizon: height of the horizon, in thousandths of the image's height.
        ground: RGB color of the ground far away, and RGB color nearby.
        weathers: names of the possible weathers. For the room these are the colors
            of its walls.
        animal_colors: colors that contrast with the background.
        neighbors: large objects beside the animal, each kind with its colors.
        small_objects: small objects on the ground, each kind with its colors.
        flying_objects: objects in the air, each kind with its colors.
        covers: what can hide the animal.
        shore: where boats float, in thousandths of the image's height.
    """

    horizon: int
    ground: tuple[tuple[int, int, int], tuple[int, int, int]]
    weathers: tuple[str, ...]
    animal_colors: tuple[str, ...]
    neighbors: ObjectKinds
    small_objects: ObjectKinds
    flying_objects: ObjectKinds
    covers: tuple[str, ...]
    shore: int = 0


BALLOONS: ObjectKinds = (
    ("balloon", BRIGHT),
    ("kite", ("red", "yellow", "pink", "purple")),
)
BIRDS: ObjectKinds = (("bird", ("white", "black", "blue", "red")),)
BUTTERFLIES: ObjectKinds = (
    ("butterfly", ("orange", "yellow", "pink", "purple", "white")),
)
AIRCRAFT: ObjectKinds = (
    ("airship", ("red", "yellow", "orange")),
    ("plane", ("white", "red")),
)
PEOPLE: ObjectKinds = (("child", ("red", "yellow", "blue", "purple")),)
TOYS: ObjectKinds = (("ball", BRIGHT), ("present", ("red", "blue", "yellow", "purple")))
FLOWERS: ObjectKinds = (("flower", ("red", "yellow", "pink", "white", "purple")),)

BACKGROUNDS = {
    "meadow": Background(
        horizon=560,
        ground=((146, 196, 98), (86, 150, 66)),
        weathers=("sunny", "cloudy", "rainy", "sunset"),
        animal_colors=("red", "orange", "yellow", "blue", "purple", "pink", "white"),
        neighbors=(
            ("house", PAINTED),
            ("tree", ("green",)),
            ("car", PAINTED),
            ("tent", ("red", "blue", "orange")),
            *PEOPLE,
        ),
        small_objects=(*FLOWERS, ("mushroom", ("red", "orange", "white")), *TOYS),
        flying_objects=(*BALLOONS, *BIRDS, *BUTTERFLIES, *AIRCRAFT),
        covers=("hedge", "rock", "fog", "crate", "tent", "static"),
    ),
    "beach": Background(
        horizon=470,
        ground=((246, 222, 164), (226, 190, 124)),
        weathers=("sunny", "cloudy", "sunset"),
        animal_colors=("red", "blue", "purple", "pink", "green", "black", "white"),
        neighbors=(
            ("boat", ("red", "blue", "white", "yellow")),
            ("palm", ("green",)),
            ("parasol", ("red", "blue", "pink", "green")),
            *PEOPLE,
        ),
        small_objects=(
            ("bucket", ("red", "blue", "green")),
            ("starfish", ("red", "purple", "pink")),
            ("ball", ("red", "blue", "white", "pink")),
        ),
        flying_objects=(*BALLOONS, *BIRDS, *AIRCRAFT),
        covers=("rock", "fog", "crate", "tent", "static"),
        shore=610,
    ),
    "snow": Background(
        horizon=560,
        ground=((236, 242, 250), (206, 220, 238)),
        weathers=("sunny", "cloudy", "snowing"),
        animal_colors=("red", "orange", "blue", "purple", "green", "black", "brown"),
        neighbors=(
            ("house", ("red", "blue", "yellow", "orange")),
            ("pine", ("green",)),
            ("snowman", NATURAL),
            *PEOPLE,
        ),
        small_objects=(
            ("present", ("red", "blue", "green", "purple")),
            ("ball", BRIGHT[:5]),
        ),
        flying_objects=(*BALLOONS, *AIRCRAFT, ("bird", ("black", "blue", "red"))),
        covers=("rock", "fog", "crate", "tent", "static"),
    ),
    "night": Background(
        horizon=570,
        ground=((58, 84, 92), (34, 56, 64)),
        weathers=("moonlit", "starry"),
        animal_colors=(
            "red",
            "orange",
            "yellow",
            "pink",
            "white",
            "green",
            "grey",
        ),
        neighbors=(
            ("house", PAINTED),
            ("tent", ("red", "orange", "yellow")),
            ("car", ("red", "yellow", "white", "orange")),
            ("pine", ("green",)),
            *PEOPLE,
        ),
        small_objects=(
            ("ball", ("red", "yellow", "white", "pink")),
            ("pumpkin", NATURAL),
            ("lantern", NATURAL),
        ),
        flying_objects=(
            ("balloon", ("red", "yellow", "pink", "white")),
            ("bird", ("white",)),
            ("airship", ("red", "yellow")),
        ),
        covers=("hedge", "rock", "fog", "crate", "tent", "static"),
    ),
    "room": Background(
        horizon=660,
        ground=((198, 152, 104), (168, 122, 80)),
        weathers=("blue", "green", "pink", "yellow"),  # the color of the walls
        animal_colors=("red", "orange", "purple", "white", "black", "grey"),
        neighbors=(
            ("lamp", ("red", "white", "purple")),
            ("chair", ("red", "purple", "white")),
            ("plant", ("red", "white", "purple")),
            ("shelf", NATURAL),
            *PEOPLE[:1],
        ),
        small_objects=(*TOYS, ("cup", ("red", "white", "blue"))),
        flying_objects=(
            ("balloon", ("red", "orange", "purple", "white")),
            *BUTTERFLIES[:1],
        ),
        covers=("curtain", "crate", "tent", "static"),
    ),
    "city": Background(
        horizon=600,
        ground=((176, 174, 178), (128, 126, 134)),
        weathers=("sunny", "cloudy", "rainy", "sunset"),
        animal_colors=("red", "orange", "yellow", "green", "blue", "purple", "pink"),
        neighbors=(
            ("car", PAINTED),
            ("bus", ("red", "yellow", "blue", "orange")),
            ("lamppost", NATURAL),
            ("house", PAINTED),
            *PEOPLE,
        ),
        small_objects=(*TOYS, ("cone", NATURAL)),
        flying_objects=(*BALLOONS[:1], *BIRDS, *AIRCRAFT),
        covers=("hedge", "fog", "crate", "curtain", "static"),
    ),
    "desert": Background(
        horizon=540,
        ground=((238, 190, 112), (208, 146, 78)),
        weathers=("sunny", "sunset"),
        animal_colors=("red", "blue", "purple", "pink", "green", "white", "black"),
        neighbors=(
            ("cactus", NATURAL),
            ("pyramid", NATURAL),
            ("car", ("red", "blue", "white")),
            ("tent", ("red", "blue", "white")),
            *PEOPLE,
        ),
        small_objects=(
            ("flower", ("red", "pink", "white")),
            ("ball", ("red", "blue", "white")),
            ("lantern", NATURAL),
        ),
        flying_objects=(*BALLOONS, ("bird", ("black", "white")), *AIRCRAFT),
        covers=("rock", "fog", "crate", "tent", "static"),
    ),
    "forest": Background(
        horizon=580,
        ground=((190, 148, 82), (146, 104, 58)),
        weathers=("sunny", "cloudy", "rainy"),
        animal_colors=("blue", "purple", "pink", "white", "green", "yellow", "black"),
        neighbors=(
            ("tree", ("orange", "red", "yellow")),
            ("house", ("white", "blue", "yellow")),
            ("tent", ("blue", "white", "yellow")),
            *PEOPLE,
        ),
        small_objects=(
            ("mushroom", ("red", "white")),
            ("pumpkin", NATURAL),
            ("ball", ("blue", "white", "yellow")),
        ),
        flying_objects=(
            ("kite", ("purple", "pink", "yellow")),
            *BIRDS,
            ("balloon", ("blue", "purple", "pink", "white")),
        ),
        covers=("hedge", "rock", "fog", "crate", "tent", "static"),
    ),
}
