"""The drawn scenes: the same everywhere, true in words, silent where they must be."""

import hashlib
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from kerasgan.data import scenes
from kerasgan.data.scenes import LABELS, draw_scene
from kerasgan.data.scenes import composition as planning
from kerasgan.data.scenes.animals import ANIMALS
from kerasgan.data.scenes.backgrounds import BACKGROUNDS, COLOURS
from kerasgan.data.scenes.caption_writer import write_captions
from kerasgan.data.scenes.composition import compose_scene
from kerasgan.data.scenes.drawing import paint
from kerasgan.data.scenes.objects import OBJECTS
from kerasgan.data.scenes.phrases import ANIMAL_NOUNS, ANY_ANIMAL, NOUNS, PLACES, SCENES

SEED = 1
NAMES = {noun: label for label, nouns in ANIMAL_NOUNS.items() for noun in nouns}


@pytest.fixture(scope="module")
def plans():
    return [compose_scene(index, SEED) for index in range(3000)]


def named_animals(captions):
    """The labels that the words of `captions` give away."""
    found = re.findall(r"[a-z]+", " ".join(captions))
    return {NAMES[word] for word in found if word in NAMES}


@pytest.mark.parametrize("size", [32, 48, 64])
def test_a_scene_is_a_image_five_captions_and_a_label(size):
    scene = draw_scene(3, size, SEED)
    assert scene.image.shape == (size, size, 3)
    assert scene.image.dtype == np.uint8
    assert len(scene.captions) == len(set(scene.captions)) == 5
    assert scene.label in LABELS


@pytest.mark.parametrize("index, size", [(-1, 64), (0, 31)])
def test_what_cannot_be_drawn_is_refused(index, size):
    with pytest.raises(ValueError, match=str(min(index, size) if index else size)):
        draw_scene(index, size, SEED)


def test_the_same_index_and_seed_give_the_same_scene():
    first = draw_scene(11, 64, SEED)
    draw_scene(12, 32, SEED + 1)
    again = draw_scene(11, 64, SEED)
    assert np.array_equal(first.image, again.image)
    assert first.captions == again.captions
    other = draw_scene(11, 64, SEED + 1)
    assert not np.array_equal(first.image, other.image)
    assert first.captions != other.captions


def test_captions_are_the_same_on_every_machine():
    captions = [c for index in range(100) for c in draw_scene(index, 32, 1).captions]
    assert captions[:2] == [
        "a desert landscape on a sunny day",
        "under a blue sky, a red creature waits to the left of a stone pyramid",
    ]
    digest = hashlib.sha256("\n".join(captions).encode()).hexdigest()
    assert digest == "5d2b2b59f492a204b75d9445d5ff073ae327afcd56d0c1a35446847a946a0551"


def test_images_are_nearly_the_same_with_every_pillow():
    expected = np.array(
        [
            [[151, 143, 164, 173], [172, 189, 184, 171], [129, 133, 156, 152],
             [111, 116, 130, 119]],
            [[169, 165, 165, 172], [166, 176, 169, 172], [113, 132, 135, 160],
             [125, 130, 124, 124]],
        ]
    )  # fmt: skip
    for index, brightness in enumerate(expected):
        image = draw_scene(index, 32, 1).image
        coarse = image.reshape(4, 8, 4, 8, 3).mean((1, 3, 4))
        np.testing.assert_allclose(coarse, brightness, atol=4)


def test_another_size_shows_the_same_scene():
    for index in range(20):
        small, large = draw_scene(index, 32, SEED), draw_scene(index, 128, SEED)
        assert small.captions == large.captions
        coarse = [s.image.reshape(8, s.image.shape[0] // 8, 8, -1, 3).mean((1, 3))
                  for s in (small, large)]  # fmt: skip
        assert np.abs(coarse[0] - coarse[1]).mean() < 4


def test_the_labels_are_balanced_and_in_random_order(plans):
    labels = [plan.label for plan in plans]
    assert set(Counter(labels).values()) == {len(plans) // len(LABELS)}
    blocks = {tuple(labels[i : i + 6]) for i in range(0, len(labels), 6)}
    assert len(blocks) > 300


def test_a_hidden_animal_leaves_no_pixel_that_depends_on_it(plans):
    hidden = [plan for plan in plans if plan.cover][:80]
    assert {plan.cover for plan in hidden} == {
        cover for world in BACKGROUNDS.values() for cover in world.covers
    }
    for plan in hidden:
        images = {paint(replace(plan, label=x), 32).tobytes() for x in LABELS}
        assert len(images) == 1


def test_animals_that_are_not_hidden_can_be_told_apart(plans):
    for plan in [plan for plan in plans if not plan.cover][:30]:
        images = [paint(replace(plan, label=x), 32).astype(int) for x in LABELS]
        for one in range(len(LABELS)):
            for other in range(one):
                changed = np.abs(images[one] - images[other]).max(-1) > 24
                assert changed.sum() > 12


def test_captions_that_leave_the_animal_out_do_not_depend_on_it(plans):
    unnamed = [plan for plan in plans if plan.unnamed][:300]
    for plan in unnamed:
        assert named_animals(write_captions(plan)) == set()
        assert len({write_captions(replace(plan, label=x)) for x in LABELS}) == 1


def test_all_other_captions_name_the_animal(plans):
    for plan in [plan for plan in plans if not plan.unnamed][:300]:
        assert all(named_animals([c]) == {plan.label} for c in write_captions(plan))


def test_nothing_else_in_a_plan_depends_on_the_label(monkeypatch):
    before = [compose_scene(index, SEED) for index in range(100)]
    monkeypatch.setattr(planning, "_draw_label", lambda index, seed: "cat")
    assert [compose_scene(index, SEED) for index in range(100)] == [
        replace(plan, label="cat") for plan in before
    ]


def test_the_best_possible_accuracies():
    best = scenes.best_possible()
    assert best == pytest.approx(
        {"majority": 1 / 6, "image": 0.80, "text": 0.85, "pair": 0.964}
    )


def test_an_ideal_reader_reaches_the_best_possible_accuracies(plans):
    hidden = np.array([plan.cover is not None for plan in plans])
    unnamed = np.array([plan.unnamed for plan in plans])
    best = scenes.best_possible()
    untold = {"image": hidden, "text": unnamed, "pair": hidden & unnamed}
    for name, lost in untold.items():
        reached = np.where(lost, 1 / len(LABELS), 1).mean()
        assert reached == pytest.approx(best[name], abs=0.02), name


def test_captions_have_5_to_18_words_and_the_right_articles(plans):
    for plan in plans[:400]:
        for caption in write_captions(plan):
            assert 5 <= len(caption.split()) <= 18
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|\{|  ", caption), caption


def test_captions_say_where_things_are(plans):
    relation = re.compile(r"^(.*?)(?:(?:to|on) the )?\b(left|right) of (.*)$")
    seen = Counter()
    for plan in plans:
        things = {thing.group: thing for thing in plan.things}
        for caption in write_captions(plan):
            if match := relation.match(caption):
                animal_first = plan.animal.x < things["neighbour"].x
                subject = _is_neighbour(match[1], things["neighbour"].kind)
                assert (match[2] == "left") == (animal_first != subject), caption
                seen[match[2], subject] += 1
    assert len(seen) == 4


def _is_neighbour(text, kind):
    """Whether a neighbour of this kind is the subject of the sentence `text`."""
    nouns = [noun.replace("{c}", r"\w+") for noun in NOUNS[kind][0]]
    return any(re.match(rf"an? (\w+ )?{noun} stands", text) for noun in nouns)


def test_captions_count_right(plans):
    for plan in plans[:1000]:
        counts = {thing.count for thing in plan.things}
        said = re.findall(r"\b(two|three)\b", " ".join(write_captions(plan)))
        assert {"two": 2, "three": 3}.keys() >= set(said)
        assert {{"two": 2, "three": 3}[word] for word in said} <= counts


def test_captions_give_everything_its_own_colour(plans):
    animals = "|".join((*NAMES, *ANY_ANIMAL))
    said = Counter()
    for plan in plans[:1500]:
        colours = {rf"(\w+) (?:{animals})\b": plan.animal.colour}
        for thing in plan.things:
            for noun in NOUNS[thing.kind][thing.count > 1]:
                if "{c}" in noun:
                    pattern = noun.replace("{c}", r"(\w+)")
                    colours[rf"\b{pattern}\b"] = thing.colour
        text = ". ".join(write_captions(plan)).replace("dark red tent", "")
        for pattern, colour in colours.items():
            for word in re.findall(pattern, text):
                assert word not in COLOURS or word == colour, text
                said[word] += 1
    assert all(
        said[colour] > 50 for colour in COLOURS if colour not in ("brown", "grayscale")
    )


def test_small_things_are_inside_the_image_and_beside_the_animal(plans):
    for plan in plans:
        for thing in plan.things:
            if thing.group == "small":
                half = (thing.height + (thing.count - 1) * 140) // 2
                assert half <= thing.x <= 1000 - half
                assert abs(thing.x - plan.animal.x) - half < 400


def test_every_word_of_the_tables_can_be_drawn_and_said():
    assert tuple(sorted(ANIMALS)) == tuple(sorted(ANIMAL_NOUNS)) == LABELS
    assert set(OBJECTS) == set(NOUNS)
    assert set(BACKGROUNDS) == set(PLACES) == set(SCENES)
    drawn = {
        kind
        for world in BACKGROUNDS.values()
        for kind, _ in (*world.neighbours, *world.smalls, *world.flying)
    }
    assert drawn == set(OBJECTS)


def test_the_captions_are_varied(plans):
    captions = [caption for plan in plans for caption in write_captions(plan)]
    assert len(set(captions)) > 0.95 * len(captions)
    assert 200 < len(set(re.findall(r"[a-z]+", " ".join(captions)))) < 300


def test_drawing_does_not_need_tensorflow():
    code = (
        "import sys; from kerasgan.data.scenes import draw_scene;"
        "draw_scene(0, 32, 1); sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
