"""Draws compositions: four times too large, then reduced."""

from functools import lru_cache

import numpy as np
from PIL import Image

from kerasgan.data.scenes.animals import ANIMALS, COVERS
from kerasgan.data.scenes.background_drawing import draw_background, draw_weather
from kerasgan.data.scenes.backgrounds import COLORS
from kerasgan.data.scenes.canvas import Canvas, Shades
from kerasgan.data.scenes.composition import Composition, SceneObject, spacing
from kerasgan.data.scenes.objects import OBJECTS

OVERSAMPLING = 4
COVER_MARGIN = 30  # how far a cover extends beyond the animal, in thousandths
FLYING_OFFSETS = (0, 45, -20)  # thousandths by which flying objects are lowered


def draw_composition(composition: Composition, size: int) -> np.ndarray:
    """Draws the image of a scene.

    Args:
        composition: the contents of the scene.
        size: width and height of the image in pixels.

    Returns:
        A uint8 array of shape `(size, size, 3)`, RGB, with values in [0, 255].
    """
    image = Image.new("RGB", (size * OVERSAMPLING, size * OVERSAMPLING))
    canvas = Canvas(image)
    draw_background(canvas, composition)
    for scene_object in composition.objects:
        if scene_object.group != "small":
            _draw_object(canvas, scene_object)
    if composition.cover is None:
        _draw_animal(canvas, composition.animal, composition.label)
    else:
        _draw_cover(canvas, composition)
    for scene_object in composition.objects:
        if scene_object.group == "small":  # in front of the animal
            _draw_object(canvas, scene_object)
    draw_weather(canvas, composition)
    return _apply_light(np.asarray(image.reduce(OVERSAMPLING)), size)


def _draw_animal(canvas: Canvas, animal: SceneObject, label: str) -> None:
    half = animal.height // 2
    canvas.shadow(animal.x, animal.base, half * 9 // 10)
    square = (animal.x - half, animal.base - animal.height, animal.height)
    shades = Shades(COLORS[animal.color])
    canvas.figure(ANIMALS[label], square, shades, animal.mirrored)


def _draw_object(canvas: Canvas, scene_object: SceneObject) -> None:
    height, base = scene_object.height, scene_object.base
    step = spacing(height)
    first = scene_object.x - (scene_object.count - 1) * step // 2 - height // 2
    shades = Shades(COLORS.get(scene_object.color, COLORS["grey"]))
    shapes = OBJECTS[scene_object.kind]
    for number in range(scene_object.count):
        left, top = first + number * step, base - height
        if scene_object.group == "flying":
            top += FLYING_OFFSETS[number]
        elif scene_object.kind != "boat":
            canvas.shadow(left + height // 2, base, height * 4 // 10)
        canvas.figure(shapes, (left, top, height), shades, scene_object.mirrored)


def _draw_cover(canvas: Canvas, composition: Composition) -> None:
    """Draws the cover in the animal's place; it does not depend on the label."""
    animal = composition.animal
    side = animal.height + 2 * COVER_MARGIN
    left, top = animal.x - side // 2, animal.base + COVER_MARGIN // 2 - side
    if composition.cover == "fog":
        _draw_fog(canvas, left, top, side, composition.jitter)
    elif composition.cover == "static":
        _draw_static(canvas, left, top, side, composition)
    else:
        canvas.shadow(animal.x, animal.base + COVER_MARGIN // 2, side // 2)
        shapes, shades = COVERS[composition.cover], Shades((150, 150, 150))
        canvas.figure(shapes, (left, top, side), shades, mirrored=False)


def _draw_fog(
    canvas: Canvas, left: int, top: int, side: int, jitter: tuple[int, ...]
) -> None:
    for number in range(9):
        x = left + side * (1 + number % 3) // 4 + jitter[number] % 40 - 20
        y = top + side * (1 + number // 3) // 4 + jitter[number + 9] % 40
        for percent in (100, 90, 80, 70, 60):
            radius = side * 27 * percent // 10000
            color = (228, 232, 238, 70)
            canvas.translucent_oval(x, y, radius * 5 // 4, radius, color)


def _draw_static(
    canvas: Canvas, left: int, top: int, side: int, composition: Composition
) -> None:
    """Draws grey noise, as on a television without a signal, in 16 × 16 cells."""
    noise = np.random.RandomState([composition.seed & 0xFFFFFFFF, composition.index])
    cells = noise.randint(40, 230, (16, 16)).astype(np.uint8)
    canvas.paste(Image.fromarray(cells).convert("RGB"), left, top, side)


def _apply_light(image: np.ndarray, size: int) -> np.ndarray:
    return (image * _light_map(size) >> 8).astype(np.uint8)


@lru_cache(maxsize=8)
def _light_map(size: int) -> np.ndarray:
    """Returns light from above that fades to the corners.

    Its shape is `(size, size, 1)`; 256 is full light.
    """
    y, x = np.mgrid[0:size, 0:size] * 2 - size + 1
    fade = (x * x + y * y) * 26 // (size * size)
    return (256 - fade - (y + size) * 5 // size).astype(np.uint16)[..., np.newaxis]
