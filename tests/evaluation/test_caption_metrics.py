"""Captions' figures, against COCO's own program and against formulas in loops."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasgan.evaluation.caption_metrics import (
    caption_diversity,
    cider_d,
    corpus_bleu,
    rouge_l,
    score_captions,
)

CAPTIONS = [
    "a dog runs on the beach",
    "two men ride a bike",
    "the the the the cat",
    "a dog",
    "a child on a swing",
]
REFERENCES = [
    ["a brown dog runs along the beach", "a dog is running on sand"],
    [
        "two men on a bike ride through the city",
        "a bike with two men",
        "men ride bikes",
    ],
    ["the cat sleeps on the sofa"],
    ["a small dog", "the dog runs", "a dog jumps over a log in the woods"],
    ["a child on a swing in the park", "a girl swings"],
]
# By pycocoevalcap 1.2 for these captions.
COCO_CIDER_D = 2.0430264906372755
COCO_ROUGE_L = 0.6685341877466635
COCO_BLEU = [91.30434781814745, 78.01894975, 51.98276394, 42.03309768]

WORDS = st.lists(st.sampled_from("abcd"), max_size=9).map(" ".join)
SPOKEN = st.lists(st.sampled_from("abcd"), min_size=1, max_size=9).map(" ".join)
SETS = st.lists(
    st.tuples(WORDS, st.lists(SPOKEN, min_size=1, max_size=3)), min_size=1, max_size=5
)


def groups(text, order):
    words = text.split()
    return Counter(
        " ".join(words[i : i + order]) for i in range(len(words) - order + 1)
    )


def naive_cider_d(captions, references):
    """The paper's formula with COCO's counts, over vectors of all n-grams."""
    total = 0
    for caption, own in zip(captions, references):
        for order in (1, 2, 3, 4):
            texts = [*captions, *(text for texts in references for text in texts)]
            axes = sorted({group for text in texts for group in groups(text, order)})
            idf = [
                math.log(len(references))
                - math.log(
                    max(
                        1,
                        sum(
                            any(axis in groups(text, order) for text in texts)
                            for texts in references
                        ),
                    )
                )
                for axis in axes
            ]
            for reference in own:
                g, r = (
                    np.array([groups(text, order)[axis] for axis in axes]) * idf
                    for text in (caption, reference)
                )
                lengths = np.linalg.norm(g) * np.linalg.norm(r)
                if lengths:
                    gap = len(caption.split()) - len(reference.split())
                    likeness = np.minimum(g, r) @ r / lengths
                    likeness *= math.exp(-(gap**2) / (2 * 6**2))
                    total += 10 * likeness / (4 * len(own))
    return total / len(captions)


def naive_bleu(captions, references, longest):
    matches, sizes, length, nearest = [0] * longest, [0] * longest, 0, 0
    for caption, own in zip(captions, references):
        words = len(caption.split())
        length += words
        nearest += min(
            (len(reference.split()) for reference in own),
            key=lambda size: (abs(size - words), size),
        )
        for order in range(1, longest + 1):
            for group, count in groups(caption, order).items():
                allowed = max(groups(reference, order)[group] for reference in own)
                matches[order - 1] += min(count, allowed)
                sizes[order - 1] += count
    if not all(matches):
        return 0.0
    logs = [math.log(match / size) for match, size in zip(matches, sizes)]
    return 100 * math.exp(min(0, 1 - nearest / length) + sum(logs) / longest)


def subsequences(text):
    found = {()}
    for word in text.split():
        found |= {(*begun, word) for begun in found}
    return found


def naive_rouge_l(captions, references):
    total = 0
    for caption, own in zip(captions, references):
        mine, precisions, recalls = subsequences(caption), [0], [0]
        for reference in own:
            common = max(map(len, mine & subsequences(reference)))
            precisions.append(common / max(1, len(caption.split())))
            recalls.append(common / len(reference.split()))
        p, r = max(precisions), max(recalls)
        total += (1 + 1.2**2) * p * r / (r + 1.2**2 * p) if p else 0
    return total / len(captions)


def test_figures_are_those_of_cocos_program():
    assert cider_d(CAPTIONS, REFERENCES) == pytest.approx(COCO_CIDER_D)
    assert rouge_l(CAPTIONS, REFERENCES) == pytest.approx(COCO_ROUGE_L)
    found = corpus_bleu(CAPTIONS, REFERENCES)
    assert list(found) == ["bleu_1", "bleu_2", "bleu_3", "bleu_4"]
    assert list(found.values()) == pytest.approx(COCO_BLEU)


@settings(deadline=None, max_examples=50)
@given(SETS)
def test_figures_against_loops(pairs):
    captions, references = zip(*pairs)
    bleu = [naive_bleu(captions, references, longest) for longest in (1, 2, 3, 4)]
    assert list(corpus_bleu(captions, references).values()) == pytest.approx(bleu)
    assert rouge_l(captions, references) == pytest.approx(
        naive_rouge_l(captions, references)
    )
    assert cider_d(captions, references) == pytest.approx(
        naive_cider_d(captions, references), abs=1e-9
    )


def test_references_themselves_score_highest():
    own = [[f"{text} {text} here"] for text in ("a b", "c d", "e f")]
    captions = [texts[0] for texts in own]
    assert list(corpus_bleu(captions, own).values()) == pytest.approx([100] * 4)
    assert rouge_l(captions, own) == pytest.approx(1)
    assert cider_d(captions, own) == pytest.approx(10)


def test_case_and_punctuation_are_no_words():
    noisy = [f"{caption.title()}!" for caption in CAPTIONS]
    assert corpus_bleu(noisy, REFERENCES) == corpus_bleu(CAPTIONS, REFERENCES)
    assert rouge_l(noisy, REFERENCES) == rouge_l(CAPTIONS, REFERENCES)
    assert cider_d(noisy, REFERENCES) == cider_d(CAPTIONS, REFERENCES)


def test_empty_captions_score_nothing():
    empty = [""] * len(CAPTIONS)
    found = score_captions(empty, REFERENCES, CAPTIONS)
    zero = ("bleu_1", "bleu_4", "rouge_l", "cider_d", "distinct_1", "distinct_2")
    assert [found[name] for name in zero] == [0] * 6
    assert (found["vocabulary"], found["mean_words"]) == (0, 0)


def test_variety_by_hand():
    captions = ["A dog runs.", "a dog runs", "a cat", "the dog"]
    assert caption_diversity(captions, ["A cat!", "a dog"]) == {
        "distinct_1": 5 / 10,
        "distinct_2": 4 / 6,
        "unique": 3 / 4,
        "novel": 3 / 4,
        "vocabulary": 5,
        "mean_words": 10 / 4,
    }


def test_a_collapsed_captioner_shows():
    found = caption_diversity(["a man in a shirt"] * 50, ["a man in a shirt"])
    assert found["unique"] == 0.02 and found["novel"] == 0
    assert found["distinct_1"] == 4 / 250


def test_images_without_references_are_counted_and_left_out():
    captions = [*CAPTIONS, "something else", "and more"]
    found = score_captions(captions, [*REFERENCES, [], ["?"]], ["two men ride a bike"])
    assert (found["images"], found["missing"]) == (5, 2)
    assert found["cider_d"] == pytest.approx(COCO_CIDER_D)
    assert found["rouge_l"] == pytest.approx(COCO_ROUGE_L)
    assert found["bleu_4"] == pytest.approx(COCO_BLEU[3])
    assert found["novel"] == 0.8
    assert found == {
        **corpus_bleu(CAPTIONS, REFERENCES),
        "rouge_l": rouge_l(CAPTIONS, REFERENCES),
        "cider_d": cider_d(CAPTIONS, REFERENCES),
        **caption_diversity(CAPTIONS, ["two men ride a bike"]),
        "images": 5,
        "missing": 2,
    }
