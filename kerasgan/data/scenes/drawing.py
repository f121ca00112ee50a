"""From a plan to pixels: everything is drawn four times too large, then reduced."""

from functools import lru_cache

import numpy as np
from PIL import Image

from kerasgan.data.scenes.animals import ANIMALS, COVERS
from kerasgan.data.scenes.background_drawing import draw_background, draw_foreground
from kerasgan.data.scenes.backgrounds import COLOURS
from kerasgan.data.scenes.canvas import Canvas, Shades
from kerasgan.data.scenes.composition import Composition, Thing, spacing
from kerasgan.data.scenes.objects import OBJECTS

OVERSAMPLING = 4
COVER_MARGIN = 30  # how far a cover reaches over the animal's place, in thousandths


def paint(plan: Composition, size: int) -> np.ndarray:
    """The image of `plan`: uint8 (size, size, 3), RGB."""
    canvas = Image.new("RGB", (size * OVERSAMPLING, size * OVERSAMPLING))
    pen = Canvas(canvas)
    draw_background(pen, plan)
    for thing in plan.things:
        if thing.group != "small":
            _draw_thing(pen, thing)
    if plan.cover is None:
        _draw_animal(pen, plan.animal, plan.label)
    else:
        _draw_cover(pen, plan)
    for thing in plan.things:
        if thing.group == "small":  # nearest to the eye
            _draw_thing(pen, thing)
    draw_foreground(pen, plan)
    return _light(np.asarray(canvas.reduce(OVERSAMPLING)), size)


def _draw_animal(pen: Canvas, animal: Thing, label: str) -> None:
    half = animal.height // 2
    pen.shadow(animal.x, animal.base, half * 9 // 10)
    place = (animal.x - half, animal.base - animal.height, animal.height)
    pen.figure(ANIMALS[label], place, Shades(COLOURS[animal.colour]), animal.mirrored)


def _draw_thing(pen: Canvas, thing: Thing) -> None:
    step = spacing(thing.height)
    first = thing.x - (thing.count - 1) * step // 2 - thing.height // 2
    tones = Shades(COLOURS.get(thing.colour, COLOURS["grayscale"]))
    for number in range(thing.count):
        left = first + number * step
        top = thing.base - thing.height
        if thing.group == "flying":
            top += (0, 45, -20)[number]
        elif thing.kind != "boat":
            pen.shadow(left + thing.height // 2, thing.base, thing.height * 4 // 10)
        pen.figure(
            OBJECTS[thing.kind], (left, top, thing.height), tones, thing.mirrored
        )


def _draw_cover(pen: Canvas, plan: Composition) -> None:
    """Something neutral in the animal's place. The label is not looked at."""
    animal = plan.animal
    side = animal.height + 2 * COVER_MARGIN
    left, top = animal.x - side // 2, animal.base + COVER_MARGIN // 2 - side
    if plan.cover == "fog":
        _draw_fog(pen, left, top, side, plan.decor)
    elif plan.cover == "static":
        _draw_static(pen, left, top, side, plan)
    else:
        pen.shadow(animal.x, animal.base + COVER_MARGIN // 2, side // 2)
        pen.figure(
            COVERS[plan.cover], (left, top, side), Shades((150, 150, 150)), False
        )


def _draw_fog(
    pen: Canvas, left: int, top: int, side: int, decor: tuple[int, ...]
) -> None:
    for number in range(9):
        x = left + side * (1 + number % 3) // 4 + decor[number] % 40 - 20
        y = top + side * (1 + number // 3) // 4 + decor[number + 9] % 40
        for share in (100, 90, 80, 70, 60):
            radius = side * 27 * share // 10000
            pen.glass_oval(x, y, radius * 5 // 4, radius, (228, 232, 238, 70))


def _draw_static(
    pen: Canvas, left: int, top: int, side: int, plan: Composition
) -> None:
    """Grey noise, like a broken television, in 16×16 cells."""
    noise = np.random.RandomState([plan.seed & 0xFFFFFFFF, plan.index])
    cells = noise.randint(40, 230, (16, 16)).astype(np.uint8)
    pen.paste(Image.fromarray(cells).convert("RGB"), left, top, side)


def _light(image: np.ndarray, size: int) -> np.ndarray:
    return (image * _lamp(size) >> 8).astype(np.uint8)


@lru_cache(maxsize=8)
def _lamp(size: int) -> np.ndarray:
    """Light falls from above and fades to the corners: (size, size, 1), 256 is full."""
    y, x = np.mgrid[0:size, 0:size] * 2 - size + 1
    fade = (x * x + y * y) * 26 // (size * size)
    return (256 - fade - (y + size) * 5 // size).astype(np.uint16)[..., np.newaxis]
