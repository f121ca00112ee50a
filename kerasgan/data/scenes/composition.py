"""Chooses what a scene contains and where, before it is drawn or described.

Lengths are integers in thousandths of the image's side, from its upper left corner.
The label has a random stream of its own, so nothing else in a composition depends on
it.
"""

from dataclasses import dataclass

from kerasgan.data.scenes.backgrounds import BACKGROUNDS, Background
from kerasgan.data.scenes.best_accuracy import (
    HIDDEN_ANIMAL_SHARE,
    LABELS,
    UNNAMED_ANIMAL_SHARE,
)
from kerasgan.data.scenes.seeded_random import SeededRandom

JITTER_VALUES = 40  # random integers for details of the background
# Probabilities of a neighbor, of small objects and of flying objects.
OBJECT_SHARES = (0.85, 0.65, 0.6)


@dataclass(frozen=True)
class SceneObject:
    """The animal, or a row of equal objects.

    Attributes:
        group: "animal", "neighbor", "small" or "flying".
        kind: name of the object; empty for the animal.
        color: name of its color; empty if it has one fixed color.
        size: "small", "" or "big".
        count: number of objects in the row.
        x: center of the row.
        base: lower edge of the row.
        height: height and width of one object.
        mirrored: whether left and right are exchanged.
    """

    group: str
    kind: str
    color: str
    size: str
    count: int
    x: int
    base: int
    height: int
    mirrored: bool


@dataclass(frozen=True)
class Composition:
    """The contents of a scene, independent of the size of the image.

    `draw_composition` turns it into pixels, `write_captions` into sentences.

    Attributes:
        index: number of the scene.
        seed: seed of the set.
        label: kind of the animal; `animal.kind` is never set.
        background: name of the background.
        weather: name of the weather, or the color of the room's walls.
        animal: the animal.
        cover: what hides the animal; None if it is visible.
        unnamed: whether the captions do not name the kind of the animal.
        objects: all other objects.
        jitter: random integers from 0 to 999 that vary hills, clouds and the like.
    """

    index: int
    seed: int
    label: str
    background: str
    weather: str
    animal: SceneObject
    cover: str | None
    unnamed: bool
    objects: tuple[SceneObject, ...]
    jitter: tuple[int, ...]


def spacing(height: int) -> int:
    """Returns the distance between two objects of a row."""
    return height * 112 // 100


def compose_scene(index: int, seed: int) -> Composition:
    """Chooses the contents of one scene.

    Args:
        index: number of the scene, from 0.
        seed: seed of the set.

    Returns:
        A `Composition`.
    """
    random = SeededRandom(seed, index, "world")
    name = random.choice(tuple(BACKGROUNDS))
    background = BACKGROUNDS[name]
    animal = _place_animal(random, background)
    return Composition(
        index=index,
        seed=seed,
        label=_draw_label(index, seed),
        background=name,
        weather=random.choice(background.weathers),
        animal=animal,
        cover=_draw_cover(index, seed, background),
        unnamed=SeededRandom(seed, index, "unnamed").chance(UNNAMED_ANIMAL_SHARE),
        objects=_place_objects(random, background, animal),
        jitter=tuple(random.integer(0, 999) for _ in range(JITTER_VALUES)),
    )


def _draw_label(index: int, seed: int) -> str:
    """Returns the label; every block of `len(LABELS)` scenes has each label once."""
    block, position = divmod(index, len(LABELS))
    return SeededRandom(seed, block, "label").shuffled(LABELS)[position]


def _draw_cover(index: int, seed: int, background: Background) -> str | None:
    random = SeededRandom(seed, index, "hidden")
    if random.chance(HIDDEN_ANIMAL_SHARE):
        return random.choice(background.covers)
    return None


def _place_animal(random: SeededRandom, background: Background) -> SceneObject:
    x = random.choice((290, 500, 710))
    sizes = (("small", 430), ("", 500), ("big", 580))
    size, height = random.choice(sizes if x != 500 else sizes[:2])
    return SceneObject(
        group="animal",
        kind="",
        color=random.choice(background.animal_colors),
        size=size,
        count=1,
        x=x + random.integer(-20, 20),
        base=random.integer(900, 940),
        height=height,
        mirrored=random.chance(0.5),
    )


def _place_objects(
    random: SeededRandom, background: Background, animal: SceneObject
) -> tuple[SceneObject, ...]:
    """Returns one to three kinds of objects, none of them in front of the animal."""
    chosen = [random.chance(share) for share in OBJECT_SHARES]
    if not any(chosen):
        chosen[random.integer(0, 2)] = True
    centerd = 400 < animal.x < 600
    right = random.chance(0.5) if centerd else animal.x < 500
    x = random.integer(820, 860) if right else random.integer(140, 180)
    small_right = right != centerd  # the side with room for the small objects
    placers = (
        lambda: _place_neighbor(random, background, x),
        lambda: _place_small(random, background, animal, small_right, centerd),
        lambda: _place_flying(random, background, animal.x),
    )
    return tuple(place() for place, use in zip(placers, chosen, strict=True) if use)


def _place_neighbor(
    random: SeededRandom, background: Background, x: int
) -> SceneObject:
    kind, colors = random.choice(background.neighbors)
    size, height = random.choice((("small", 270), ("", 330), ("big", 400)))
    base = background.shore if kind == "boat" else random.integer(720, 770)
    return SceneObject(
        group="neighbor",
        kind=kind,
        color=random.choice(colors),
        size=size,
        count=1,
        x=x,
        base=base,
        height=height,
        mirrored=random.chance(0.5),
    )


def _place_small(
    random: SeededRandom,
    background: Background,
    animal: SceneObject,
    right: bool,
    single: bool,
) -> SceneObject:
    """Returns small objects close to the animal and inside the image."""
    kind, colors = random.choice(background.small_objects)
    count = random.integer(1, 1 if single else 3)
    height = 125
    half = (height + (count - 1) * spacing(height)) // 2
    room = (1000 - animal.x if right else animal.x) - half - 15
    distance = min(animal.height // 2 + half + random.integer(0, 60), room)
    x = animal.x + (distance if right else -distance)
    base = random.integer(940, 970)
    return SceneObject(
        group="small",
        kind=kind,
        color=random.choice(colors),
        size="",
        count=count,
        x=x,
        base=base,
        height=height,
        mirrored=False,
    )


def _place_flying(random: SeededRandom, background: Background, x: int) -> SceneObject:
    kind, colors = random.choice(background.flying_objects)
    count = random.integer(1, 3)
    base = random.integer(190, 290)
    return SceneObject(
        group="flying",
        kind=kind,
        color=random.choice(colors),
        size="",
        count=count,
        x=x,
        base=base,
        height=150,
        mirrored=random.chance(0.5),
    )
