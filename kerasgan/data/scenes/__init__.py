"""The built-in data set `scenes`: illustrated scenes that the package draws itself.

    scene = draw_scene(index=0, size=64, seed=1)
    scene.image     # uint8 (64, 64, 3), RGB
    scene.captions  # five sentences
    scene.label     # one of LABELS

The same index and seed give the same scene on every machine and at every size.
docs/scenes.md explains how images and captions can hide the class, and which accuracy
is therefore the best possible.
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
from kerasgan.data.scenes.composition import SceneObject, compose_scene
from kerasgan.data.scenes.drawing import draw_composition

MIN_SIZE = 32  # pixels; the animals cannot be told apart in smaller images

__all__ = [
    "HIDDEN_ANIMAL_SHARE",
    "LABELS",
    "MIN_SIZE",
    "UNNAMED_ANIMAL_SHARE",
    "Scene",
    "best_possible_accuracy",
    "draw_scene",
]


@dataclass(frozen=True, eq=False)
class Scene:
    """One drawn image with its captions, its label and its contents.

    Attributes:
        image: uint8 array of shape `(size, size, 3)`, RGB, with values in [0, 255].
        captions: five different sentences of 5 to 18 lower-case words.
        label: one of `LABELS`, the kind of the animal.
        background: name of the place, such as "beach".
        objects: the other objects, with kind, color, count and position.
        hidden: whether the image does not show the animal.
        unnamed: whether none of the captions names the kind of the animal.
    """

    image: np.ndarray
    captions: tuple[str, ...]
    label: str
    background: str
    objects: tuple[SceneObject, ...]
    hidden: bool
    unnamed: bool


def draw_scene(index: int, size: int, seed: int) -> Scene:
    """Draws one scene of the set that belongs to a seed.

    Args:
        index: number of the scene in the set, from 0.
        size: width and height of the image in pixels, at least `MIN_SIZE`.
        seed: seed of the set.

    Returns:
        A `Scene`.

    Raises:
        ValueError: If `index` is negative or `size` is below `MIN_SIZE`.
    """
    if index < 0:
        raise ValueError(f"`index` must not be negative. Received: index={index}")
    if size < MIN_SIZE:
        raise ValueError(
            f"`size` must be at least {MIN_SIZE} pixels. Received: size={size}"
        )
    composition = compose_scene(index, seed)
    return Scene(
        image=draw_composition(composition, size),
        captions=write_captions(composition),
        label=composition.label,
        background=composition.background,
        objects=composition.objects,
        hidden=composition.cover is not None,
        unnamed=composition.unnamed,
    )
