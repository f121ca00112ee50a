"""What is in a scene and where, before a pixel is drawn or a word is written.

Lengths are integers in thousandths of the image's side, from its upper left corner.
The label is drawn by itself: nothing else in a plan is chosen with it in sight.
"""

from dataclasses import dataclass

from kerasgan.data.scenes.backgrounds import BACKGROUNDS, Background
from kerasgan.data.scenes.best_accuracy import (
    HIDDEN_ANIMAL_SHARE,
    LABELS,
    UNNAMED_ANIMAL_SHARE,
)
from kerasgan.data.scenes.seeded_random import SeededRandom


@dataclass(frozen=True)
class Thing:
    """`count` equal objects in a row around x; `base` is the row's lower edge."""

    group: str  # "animal", "neighbour", "small" or "flying"
    kind: str
    colour: str
    size: str  # "small", "" or "big"
    count: int
    x: int
    base: int
    height: int
    mirrored: bool


@dataclass(frozen=True)
class Composition:
    """A scene without size: `paint` turns it into pixels, `describe` into words.

    label: the animal's kind; `animal.kind` is never set.
    cover: what hides the animal, None where it can be seen.
    unnamed: the captions don't say the animal's kind.
    decor: random integers, 0–999, for hills, clouds and the like.
    """

    index: int
    seed: int
    label: str
    backdrop: str
    weather: str
    animal: Thing
    cover: str | None
    unnamed: bool
    things: tuple[Thing, ...]
    decor: tuple[int, ...]


def spacing(height: int) -> int:
    """From one thing of a row to the next."""
    return height * 112 // 100


def compose_scene(index: int, seed: int) -> Composition:
    """Plan scene number `index` of the set `seed`."""
    dice = SeededRandom(seed, index, "world")
    name = dice.pick(tuple(BACKGROUNDS))
    backdrop = BACKGROUNDS[name]
    animal = _place_animal(dice, backdrop)
    return Composition(
        index=index,
        seed=seed,
        label=_draw_label(index, seed),
        backdrop=name,
        weather=dice.pick(backdrop.weathers),
        animal=animal,
        cover=_draw_cover(index, seed, backdrop),
        unnamed=SeededRandom(seed, index, "unnamed").chance(UNNAMED_ANIMAL_SHARE),
        things=_place_things(dice, backdrop, animal),
        decor=tuple(dice.between(0, 999) for _ in range(40)),
    )


def _draw_label(index: int, seed: int) -> str:
    """Every run of len(LABELS) scenes has each label once, in a random order."""
    block, place = divmod(index, len(LABELS))
    return SeededRandom(seed, block, "label").shuffled(LABELS)[place]


def _draw_cover(index: int, seed: int, backdrop: Background) -> str | None:
    dice = SeededRandom(seed, index, "hidden")
    return dice.pick(backdrop.covers) if dice.chance(HIDDEN_ANIMAL_SHARE) else None


def _place_animal(dice: SeededRandom, backdrop: Background) -> Thing:
    x = dice.pick((290, 500, 710))
    sizes = (("small", 430), ("", 500), ("big", 580))
    size, height = dice.pick(sizes if x != 500 else sizes[:2])
    return Thing(
        group="animal",
        kind="",
        colour=dice.pick(backdrop.animal_colours),
        size=size,
        count=1,
        x=x + dice.between(-20, 20),
        base=dice.between(900, 940),
        height=height,
        mirrored=dice.chance(0.5),
    )


def _place_things(
    dice: SeededRandom, backdrop: Background, animal: Thing
) -> tuple[Thing, ...]:
    """Up to three kinds of things beside the animal, at least one, none on it."""
    wanted = [dice.chance(share) for share in (0.85, 0.65, 0.6)]
    if not any(wanted):
        wanted[dice.between(0, 2)] = True
    centred = 400 < animal.x < 600
    right = dice.chance(0.5) if centred else animal.x < 500
    beside = dice.between(820, 860) if right else dice.between(140, 180)
    rightwards = right != centred  # the small things find room on this side
    makers = (
        lambda: _neighbour(dice, backdrop, beside),
        lambda: _small(dice, backdrop, animal, rightwards, 1 if centred else 3),
        lambda: _flying(dice, backdrop, animal.x),
    )
    return tuple(make() for make, on in zip(makers, wanted, strict=True) if on)


def _neighbour(dice: SeededRandom, backdrop: Background, x: int) -> Thing:
    kind, colours = dice.pick(backdrop.neighbours)
    size, height = dice.pick((("small", 270), ("", 330), ("big", 400)))
    base = backdrop.shore if kind == "boat" else dice.between(720, 770)
    return Thing(
        "neighbour",
        kind,
        dice.pick(colours),
        size,
        1,
        x,
        base,
        height,
        dice.chance(0.5),
    )


def _small(
    dice: SeededRandom, backdrop: Background, animal: Thing, rightwards: bool, most: int
) -> Thing:
    """As near to the animal as it goes without leaving the image."""
    kind, colours = dice.pick(backdrop.smalls)
    count = dice.between(1, most)
    height = 125
    half = (height + (count - 1) * spacing(height)) // 2
    room = (1000 - animal.x if rightwards else animal.x) - half - 15
    away = min(animal.height // 2 + half + dice.between(0, 60), room)
    x = animal.x + (away if rightwards else -away)
    base = dice.between(940, 970)
    return Thing("small", kind, dice.pick(colours), "", count, x, base, height, False)


def _flying(dice: SeededRandom, backdrop: Background, x: int) -> Thing:
    kind, colours = dice.pick(backdrop.flying)
    count = dice.between(1, 3)
    base = dice.between(190, 290)
    return Thing(
        "flying", kind, dice.pick(colours), "", count, x, base, 150, dice.chance(0.5)
    )
