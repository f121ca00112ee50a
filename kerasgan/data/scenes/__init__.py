"""`scenes`, the embedded data set: illustrated scenes that the package draws itself.

    scene = draw_scene(index=0, size=64, seed=1)
    scene.image     # uint8 (64, 64, 3), RGB
    scene.captions  # five sentences
    scene.label     # one of LABELS

The same index and seed give the same scene on every machine, and at every size.
How the images and the captions hide the class, and what can therefore be
reached at best, stands in docs/scenes.md.
"""

from dataclasses import dataclass

import numpy as np

from kerasgan.data.scenes.best_accuracy import (
    HIDDEN_ANIMAL_SHARE,
    LABELS,
    UNNAMED_ANIMAL_SHARE,
    best_possible_accuracy,
)
from kerasgan.data.scenes.caption_writer import write_captions
from kerasgan.data.scenes.composition import Thing, compose_scene
from kerasgan.data.scenes.drawing import paint

SMALLEST_SIZE = 32  # pixels; below it the animals cannot be told apart

__all__ = [
    "HIDDEN_ANIMAL_SHARE",
    "LABELS",
    "SMALLEST_SIZE",
    "UNNAMED_ANIMAL_SHARE",
    "Scene",
    "best_possible_accuracy",
    "draw_scene",
]


@dataclass(frozen=True, eq=False)
class Scene:
    """One image and what is known of it.

    image: uint8 (size, size, 3), RGB, 0–255.
    captions: five different sentences of 5–18 lower-case words.
    label: one of LABELS, the kind of the animal.
    backdrop: where the scene is, such as "beach".
    things: what else is in it: kind, colour, count, and place in thousandths.
    hidden: the image shows nothing of the animal.
    unnamed: none of the captions says what animal it is.
    """

    image: np.ndarray
    captions: tuple[str, ...]
    label: str
    backdrop: str
    things: tuple[Thing, ...]
    hidden: bool
    unnamed: bool


def draw_scene(index: int, size: int, seed: int) -> Scene:
    """Draw scene number `index` (from 0) of the set `seed`, `size` pixels square.

    Raises ValueError for a negative index or a size below SMALLEST_SIZE.
    """
    if index < 0:
        raise ValueError(f"a scene's index counts from 0, got {index}")
    if size < SMALLEST_SIZE:
        raise ValueError(f"scenes need at least {SMALLEST_SIZE} pixels, got {size}")
    plan = compose_scene(index, seed)
    return Scene(
        image=paint(plan, size),
        captions=write_captions(plan),
        label=plan.label,
        backdrop=plan.backdrop,
        things=plan.things,
        hidden=plan.cover is not None,
        unnamed=plan.unnamed,
    )
