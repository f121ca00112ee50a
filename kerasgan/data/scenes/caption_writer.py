"""From a plan to five sentences, as five people would describe one image.

A template's fields are filled by phrases; it is used only where the scene has all of
them. The label is looked at in one place, `_animal_noun`, and only where the plan says
that the captions name it.
"""

from collections.abc import Callable, Sequence
from functools import cache
from string import Formatter

from kerasgan.data.scenes import phrases
from kerasgan.data.scenes.composition import Composition, Thing
from kerasgan.data.scenes.seeded_random import SeededRandom

SIZE_SHARE = 0.45  # how often a size is mentioned where there is one
COLOUR_SHARE = 0.85


def write_captions(plan: Composition) -> tuple[str, ...]:
    """Five different captions of `plan`, each of 5–18 lower-case words."""
    dice = SeededRandom(plan.seed, plan.index, "captions")
    writer = _CaptionWriter(plan, dice)
    captions: list[str] = []
    for style in dice.shuffled(range(len(phrases.STYLES))):
        templates = phrases.STYLES[style]
        if plan.unnamed:
            templates += phrases.SILENT_STYLES[style]
        captions.append(_write(writer, templates, captions))
    return tuple(captions)


def _write(writer: "_CaptionWriter", templates: Sequence[str], taken: list[str]) -> str:
    """A sentence that is none of `taken`, from the templates that suit the scene."""
    suited = [t for t in templates if _fields(t) <= writer.known]
    while True:
        caption = writer.fill(suited)
        length = len(caption.split())
        if (
            phrases.FEWEST_WORDS <= length <= phrases.MOST_WORDS
            and caption not in taken
        ):
            return caption


@cache
def _fields(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)


def article(noun: str) -> str:
    """`noun` with "a" or "an" before it."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


class _CaptionWriter(dict):
    """Fills a template's fields; at most one thing's size is said in a sentence."""

    def __init__(self, plan: Composition, dice: SeededRandom):
        self._plan = plan
        self._dice = dice
        self._size_said = False
        self._phrases = self._collect()
        self.known = frozenset(self._phrases)

    def fill(self, templates: Sequence[str]) -> str:
        self._size_said = False
        return self._dice.pick(templates).format_map(self)

    def __missing__(self, field: str) -> str:
        return self._phrases[field]()

    def _collect(self) -> dict[str, Callable[[], str]]:
        plan, animal = self._plan, self._plan.animal
        fields = {
            "animal": lambda: article(self._animal()),
            "animal_alone": self._animal,
            "place": self._any(phrases.PLACES[plan.backdrop]),
            "scene": lambda: article(self._scene()),
            "plain_scene": self._any(
                [article(s) for s in phrases.SCENES[plan.backdrop]]
            ),
            "where": self._any(_where(animal)),
            "opening": self._any(phrases.OPENINGS),
            "beside": self._any(phrases.BESIDE),
            "above": self._any(phrases.ABOVE),
        }
        if plan.weather in phrases.SKIES:
            fields["sky"] = self._any(phrases.SKIES[plan.weather])
        if plan.cover:
            fields["hides"] = self._any(phrases.HIDES)
            fields["cover"] = self._any(phrases.COVER_PHRASES[plan.cover])
        else:
            fields["stands"] = self._any(phrases.STANDS)
        for thing in plan.things:
            fields |= self._of_thing(thing)
        return fields

    def _of_thing(self, thing: Thing) -> dict[str, Callable[[], str]]:
        fields = {thing.group: lambda: self._counted(thing)}
        several = thing.count > 1
        if thing.group == "neighbour":
            leftwards = self._plan.animal.x < thing.x
            sides = (phrases.RIGHT_OF, phrases.LEFT_OF)
            fields["side"] = self._any(sides[leftwards])
            fields["other_side"] = self._any(sides[not leftwards])
            fields["neighbour_alone"] = lambda: self._one(thing)
        elif thing.group == "small":
            fields["lie"] = self._any(phrases.LIES[several])
        else:
            fields["fly"] = self._any(phrases.FLIES[several])
        return fields

    def _any(self, options: Sequence[str]) -> Callable[[], str]:
        return lambda: self._dice.pick(options)

    def _animal(self) -> str:
        """The animal without an article; what cannot be seen has no size or colour."""
        noun = self._animal_noun()
        if self._plan.cover:
            return noun
        colour = self._plan.animal.colour if self._dice.chance(COLOUR_SHARE) else ""
        return self._size(self._plan.animal) + f"{colour} {noun}".strip()

    def _animal_noun(self) -> str:
        if self._plan.unnamed:
            return self._dice.pick(phrases.ANY_ANIMAL)
        return self._dice.pick(phrases.ANIMAL_NOUNS[self._plan.label])

    def _scene(self) -> str:
        scene = self._dice.pick(phrases.SCENES[self._plan.backdrop])
        adjectives = phrases.WEATHER_ADJECTIVES.get(self._plan.weather, ("",))
        return f"{self._dice.pick(adjectives)} {scene}".strip()

    def _counted(self, thing: Thing) -> str:
        if thing.count == 1:
            return article(self._one(thing))
        noun = self._dice.pick(phrases.NOUNS[thing.kind][1])
        return f"{phrases.NUMBERS[thing.count]} {noun.format(c=thing.colour)}"

    def _one(self, thing: Thing) -> str:
        noun = self._dice.pick(phrases.NOUNS[thing.kind][0]).format(c=thing.colour)
        return self._size(thing) + noun

    def _size(self, thing: Thing) -> str:
        if self._size_said or not thing.size or thing.kind == "child":
            return ""
        if not self._dice.chance(SIZE_SHARE):
            return ""
        self._size_said = True
        return self._dice.pick(phrases.SIZES[thing.size]) + " "


def _where(thing: Thing) -> tuple[str, ...]:
    if 400 < thing.x < 600:
        return phrases.CENTRE
    return phrases.ON_LEFT if thing.x < 500 else phrases.ON_RIGHT
