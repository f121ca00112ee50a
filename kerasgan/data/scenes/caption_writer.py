"""Writes five captions for a composition, as five people would describe one image.

The fields of a template are filled with phrases; a template is used only if the scene
has all of its fields. The label is read in one place, `_animal_noun`, and only if the
captions name the animal.
"""

from collections.abc import Callable, Sequence
from functools import cache
from string import Formatter

from kerasgan.data.scenes import phrases
from kerasgan.data.scenes.composition import Composition, SceneObject
from kerasgan.data.scenes.seeded_random import SeededRandom

SIZE_SHARE = 0.45  # probability that a size is mentioned if there is one
COLOR_SHARE = 0.85  # probability that the animal's color is mentioned


def write_captions(composition: Composition) -> tuple[str, ...]:
    """Writes the captions of a scene.

    Args:
        composition: the contents of the scene.

    Returns:
        Five different captions of 5 to 18 lower-case words.
    """
    random = SeededRandom(composition.seed, composition.index, "captions")
    writer = _CaptionWriter(composition, random)
    captions: list[str] = []
    for style in random.shuffled(range(len(phrases.STYLES))):
        templates = phrases.STYLES[style]
        if composition.unnamed:
            templates += phrases.UNNAMED_STYLES[style]
        captions.append(_write_caption(writer, templates, captions))
    return tuple(captions)


def _write_caption(
    writer: "_CaptionWriter", templates: Sequence[str], previous: list[str]
) -> str:
    """Fills a template that suits the scene; the caption is none of `previous`."""
    suitable = [t for t in templates if _field_names(t) <= writer.field_names]
    while True:
        caption = writer.fill(suitable)
        num_words = len(caption.split())
        if (
            phrases.MIN_WORDS <= num_words <= phrases.MAX_WORDS
            and caption not in previous
        ):
            return caption


@cache
def _field_names(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)


def with_article(noun: str) -> str:
    """Returns `noun` with "a" or "an" before it."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


class _CaptionWriter(dict):
    """Maps field names to phrases; a sentence mentions at most one object's size."""

    def __init__(self, composition: Composition, random: SeededRandom):
        self._composition = composition
        self._random = random
        self._size_mentioned = False
        self._fields = self._collect_fields()
        self.field_names = frozenset(self._fields)

    def fill(self, templates: Sequence[str]) -> str:
        """Fills one of the templates, chosen at random."""
        self._size_mentioned = False
        return self._random.choice(templates).format_map(self)

    def __missing__(self, field: str) -> str:
        return self._fields[field]()

    def _collect_fields(self) -> dict[str, Callable[[], str]]:
        composition = self._composition
        scenes = phrases.SCENES[composition.background]
        fields = {
            "animal": lambda: with_article(self._animal()),
            "animal_alone": self._animal,
            "place": self._any(phrases.PLACES[composition.background]),
            "scene": lambda: with_article(self._scene()),
            "plain_scene": self._any([with_article(scene) for scene in scenes]),
            "where": self._any(_position_phrases(composition.animal)),
            "opening": self._any(phrases.OPENINGS),
            "beside": self._any(phrases.BESIDE),
            "above": self._any(phrases.ABOVE),
        }
        if composition.weather in phrases.SKIES:
            fields["sky"] = self._any(phrases.SKIES[composition.weather])
        if composition.cover:
            fields["hides"] = self._any(phrases.HIDES)
            fields["cover"] = self._any(phrases.COVER_PHRASES[composition.cover])
        else:
            fields["stands"] = self._any(phrases.STANDS)
        for scene_object in composition.objects:
            fields |= self._object_fields(scene_object)
        return fields

    def _object_fields(self, scene_object: SceneObject) -> dict[str, Callable[[], str]]:
        fields = {scene_object.group: lambda: self._counted(scene_object)}
        plural = scene_object.count > 1
        if scene_object.group == "neighbor":
            animal_left = self._composition.animal.x < scene_object.x
            sides = (phrases.RIGHT_OF, phrases.LEFT_OF)
            fields["side"] = self._any(sides[animal_left])
            fields["other_side"] = self._any(sides[not animal_left])
            fields["neighbor_alone"] = lambda: self._singular(scene_object)
        elif scene_object.group == "small":
            fields["lie"] = self._any(phrases.LIES[plural])
        else:
            fields["fly"] = self._any(phrases.FLIES[plural])
        return fields

    def _any(self, options: Sequence[str]) -> Callable[[], str]:
        return lambda: self._random.choice(options)

    def _animal(self) -> str:
        """Returns the animal without article; without size and color if hidden."""
        noun = self._animal_noun()
        animal = self._composition.animal
        if self._composition.cover:
            return noun
        color = animal.color if self._random.chance(COLOR_SHARE) else ""
        return self._size(animal) + f"{color} {noun}".strip()

    def _animal_noun(self) -> str:
        if self._composition.unnamed:
            return self._random.choice(phrases.ANY_ANIMAL)
        return self._random.choice(phrases.ANIMAL_NOUNS[self._composition.label])

    def _scene(self) -> str:
        scene = self._random.choice(phrases.SCENES[self._composition.background])
        weather = self._composition.weather
        adjectives = phrases.WEATHER_ADJECTIVES.get(weather, ("",))
        return f"{self._random.choice(adjectives)} {scene}".strip()

    def _counted(self, scene_object: SceneObject) -> str:
        if scene_object.count == 1:
            return with_article(self._singular(scene_object))
        noun = self._random.choice(phrases.NOUNS[scene_object.kind][1])
        number = phrases.NUMBERS[scene_object.count]
        return f"{number} {noun.format(c=scene_object.color)}"

    def _singular(self, scene_object: SceneObject) -> str:
        noun = self._random.choice(phrases.NOUNS[scene_object.kind][0])
        noun = noun.format(c=scene_object.color)
        return self._size(scene_object) + noun

    def _size(self, scene_object: SceneObject) -> str:
        size = scene_object.size
        if self._size_mentioned or not size or scene_object.kind == "child":
            return ""
        if not self._random.chance(SIZE_SHARE):
            return ""
        self._size_mentioned = True
        return self._random.choice(phrases.SIZES[size]) + " "


def _position_phrases(animal: SceneObject) -> tuple[str, ...]:
    if 400 < animal.x < 600:
        return phrases.CENTER
    return phrases.ON_LEFT if animal.x < 500 else phrases.ON_RIGHT
