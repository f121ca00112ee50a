"""Properties of CIDEr-D; test_caption_metrics compares its values."""

import pytest

from kerasgan.evaluation.cider import cider_d, ngrams

REFERENCES = [
    ["a red bus waits at the stop"],
    ["a man plays the guitar"],
    ["a dog digs a hole"],
]
CAPTIONS = [texts[0] for texts in REFERENCES]


def test_ngrams():
    assert ngrams(["a", "b", "c"], 2) == [("a", "b"), ("b", "c")]
    assert ngrams(["a", "b", "c"], 4) == []


def test_words_of_every_image_have_no_weight():
    assert cider_d(["a"] * 3, REFERENCES) == 0
    assert cider_d(["a dog digs"] * 3, REFERENCES) > 0


def test_repeating_a_rare_word_lowers_the_score():
    once = cider_d([*CAPTIONS[:2], "a dog digs a hole"], REFERENCES)
    repeated = cider_d([*CAPTIONS[:2], "a dog digs a hole hole hole"], REFERENCES)
    assert repeated < once


def test_captions_of_other_images_score_less():
    assert cider_d(CAPTIONS, REFERENCES) == pytest.approx(10)
    assert cider_d(CAPTIONS[1:] + CAPTIONS[:1], REFERENCES) < 1


def test_a_single_image_scores_zero():
    assert cider_d(CAPTIONS[:1], REFERENCES[:1]) == 0
