"""What CIDEr-D rewards; its values are compared in test_captions."""

import pytest

from kerasgan.evaluation.cider import cider_d, ngrams

REFERENCES = [
    ["a red bus waits at the stop"],
    ["a man plays the guitar"],
    ["a dog digs a hole"],
]
CAPTIONS = [texts[0] for texts in REFERENCES]


def test_neighbouring_words():
    assert ngrams(["a", "b", "c"], 2) == [("a", "b"), ("b", "c")]
    assert ngrams(["a", "b", "c"], 4) == []


def test_words_that_every_image_has_are_worth_nothing():
    assert cider_d(["a"] * 3, REFERENCES) == 0
    assert cider_d(["a dog digs"] * 3, REFERENCES) > 0


def test_repeating_a_rare_word_does_not_pay():
    once = cider_d([*CAPTIONS[:2], "a dog digs a hole"], REFERENCES)
    again = cider_d([*CAPTIONS[:2], "a dog digs a hole hole hole"], REFERENCES)
    assert again < once


def test_captions_of_other_images_score_less():
    assert cider_d(CAPTIONS, REFERENCES) == pytest.approx(10)
    assert cider_d(CAPTIONS[1:] + CAPTIONS[:1], REFERENCES) < 1


def test_one_image_has_nothing_to_differ_from():
    assert cider_d(CAPTIONS[:1], REFERENCES[:1]) == 0
