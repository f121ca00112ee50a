"""From a plan to five sentences, as five people would describe one picture.

A template's fields are filled by phrases; it is used only where the scene has all of
them. The label is looked at in one place, `_animal_noun`, and only where the plan says
that the captions name it.
"""

from collections.abc import Callable, Sequence
from functools import cache
from string import Formatter

from kerasgan.data.scenes import words
from kerasgan.data.scenes.dice import Dice
from kerasgan.data.scenes.plan import Plan, Thing

SIZE_SHARE = 0.45  # how often a size is mentioned where there is one
COLOUR_SHARE = 0.85


def describe(plan: Plan) -> tuple[str, ...]:
    """Five different captions of `plan`, each of 5–18 lower-case words."""
    dice = Dice(plan.seed, plan.index, "captions")
    writer = _Writer(plan, dice)
    captions: list[str] = []
    for style in dice.shuffled(range(len(words.STYLES))):
        templates = words.STYLES[style]
        if plan.unnamed:
            templates += words.SILENT_STYLES[style]
        captions.append(_write(writer, templates, captions))
    return tuple(captions)


def _write(writer: "_Writer", templates: Sequence[str], taken: list[str]) -> str:
    """A sentence that is none of `taken`, from the templates that suit the scene."""
    suited = [t for t in templates if _fields(t) <= writer.known]
    while True:
        caption = writer.fill(suited)
        length = len(caption.split())
        if words.FEWEST_WORDS <= length <= words.MOST_WORDS and caption not in taken:
            return caption


@cache
def _fields(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)


def article(noun: str) -> str:
    """`noun` with "a" or "an" before it."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


class _Writer(dict):
    """Fills a template's fields; at most one thing's size is said in a sentence."""

    def __init__(self, plan: Plan, dice: Dice):
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
        phrases = {
            "animal": lambda: article(self._animal()),
            "animal_alone": self._animal,
            "place": self._any(words.PLACES[plan.backdrop]),
            "scene": lambda: article(self._scene()),
            "plain_scene": self._any([article(s) for s in words.SCENES[plan.backdrop]]),
            "where": self._any(_where(animal)),
            "opening": self._any(words.OPENINGS),
            "beside": self._any(words.BESIDE),
            "above": self._any(words.ABOVE),
        }
        if plan.weather in words.SKIES:
            phrases["sky"] = self._any(words.SKIES[plan.weather])
        if plan.cover:
            phrases["hides"] = self._any(words.HIDES)
            phrases["cover"] = self._any(words.COVER_PHRASES[plan.cover])
        else:
            phrases["stands"] = self._any(words.STANDS)
        for thing in plan.things:
            phrases |= self._of_thing(thing)
        return phrases

    def _of_thing(self, thing: Thing) -> dict[str, Callable[[], str]]:
        phrases = {thing.group: lambda: self._counted(thing)}
        several = thing.count > 1
        if thing.group == "neighbour":
            leftwards = self._plan.animal.x < thing.x
            sides = (words.RIGHT_OF, words.LEFT_OF)
            phrases["side"] = self._any(sides[leftwards])
            phrases["other_side"] = self._any(sides[not leftwards])
            phrases["neighbour_alone"] = lambda: self._one(thing)
        elif thing.group == "small":
            phrases["lie"] = self._any(words.LIES[several])
        else:
            phrases["fly"] = self._any(words.FLIES[several])
        return phrases

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
            return self._dice.pick(words.ANY_ANIMAL)
        return self._dice.pick(words.ANIMAL_NOUNS[self._plan.label])

    def _scene(self) -> str:
        scene = self._dice.pick(words.SCENES[self._plan.backdrop])
        adjectives = words.WEATHER_ADJECTIVES.get(self._plan.weather, ("",))
        return f"{self._dice.pick(adjectives)} {scene}".strip()

    def _counted(self, thing: Thing) -> str:
        if thing.count == 1:
            return article(self._one(thing))
        noun = self._dice.pick(words.NOUNS[thing.kind][1])
        return f"{words.NUMBERS[thing.count]} {noun.format(c=thing.colour)}"

    def _one(self, thing: Thing) -> str:
        noun = self._dice.pick(words.NOUNS[thing.kind][0]).format(c=thing.colour)
        return self._size(thing) + noun

    def _size(self, thing: Thing) -> str:
        if self._size_said or not thing.size or thing.kind == "child":
            return ""
        if not self._dice.chance(SIZE_SHARE):
            return ""
        self._size_said = True
        return self._dice.pick(words.SIZES[thing.size]) + " "


def _where(thing: Thing) -> tuple[str, ...]:
    if 400 < thing.x < 600:
        return words.CENTRE
    return words.ON_LEFT if thing.x < 500 else words.ON_RIGHT
