"""Metrics of captions, compared with COCO's program and with loops."""

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
# Values of pycocoevalcap 1.2 for these captions.
COCO_CIDER_D = 2.0430264906372755
COCO_ROUGE_L = 0.6685341877466635
COCO_BLEU = [91.30434781814745, 78.01894975, 51.98276394, 42.03309768]

CAPTION = st.lists(st.sampled_from("abcd"), max_size=9).map(" ".join)
REFERENCE = st.lists(st.sampled_from("abcd"), min_size=1, max_size=9).map(" ".join)
PAIRS = st.lists(
    st.tuples(CAPTION, st.lists(REFERENCE, min_size=1, max_size=3)),
    min_size=1,
    max_size=5,
)


def ngram_counts(text, order):
    words = text.split()
    return Counter(
        " ".join(words[i : i + order]) for i in range(len(words) - order + 1)
    )


def naive_idf(ngram, order, references):
    num_images = sum(
        any(ngram in ngram_counts(text, order) for text in texts)
        for texts in references
    )
    return math.log(len(references)) - math.log(max(1, num_images))


def naive_cider_d(captions, references):
    """The paper's formula with COCO's counts, over vectors of all n-grams."""
    all_texts = [*captions, *(text for texts in references for text in texts)]
    total = 0
    for caption, texts in zip(captions, references, strict=True):
        for order in (1, 2, 3, 4):
            ngrams = sorted(
                {ngram for text in all_texts for ngram in ngram_counts(text, order)}
            )
            idf = [naive_idf(ngram, order, references) for ngram in ngrams]
            for reference in texts:
                g, r = (
                    np.array([ngram_counts(text, order)[ngram] for ngram in ngrams])
                    * idf
                    for text in (caption, reference)
                )
                norms = np.linalg.norm(g) * np.linalg.norm(r)
                if norms:
                    gap = len(caption.split()) - len(reference.split())
                    similarity = np.minimum(g, r) @ r / norms
                    similarity *= math.exp(-(gap**2) / (2 * 6**2))
                    total += 10 * similarity / (4 * len(texts))
    return total / len(captions)


def naive_bleu(captions, references, max_order):
    num_matches, num_ngrams = [0] * max_order, [0] * max_order
    length = reference_length = 0
    for caption, texts in zip(captions, references, strict=True):
        num_words = len(caption.split())
        length += num_words
        reference_length += min(
            (len(reference.split()) for reference in texts),
            key=lambda size: (abs(size - num_words), size),
        )
        for order in range(1, max_order + 1):
            for ngram, count in ngram_counts(caption, order).items():
                allowed = max(ngram_counts(text, order)[ngram] for text in texts)
                num_matches[order - 1] += min(count, allowed)
                num_ngrams[order - 1] += count
    if not all(num_matches):
        return 0.0
    logs = [math.log(m / n) for m, n in zip(num_matches, num_ngrams, strict=True)]
    penalty = min(0, 1 - reference_length / length)
    return 100 * math.exp(penalty + sum(logs) / max_order)


def all_subsequences(text):
    subsequences = {()}
    for word in text.split():
        subsequences |= {(*prefix, word) for prefix in subsequences}
    return subsequences


def naive_rouge_l(captions, references):
    total = 0
    for caption, texts in zip(captions, references, strict=True):
        subsequences, precisions, recalls = all_subsequences(caption), [0], [0]
        for reference in texts:
            common = max(map(len, subsequences & all_subsequences(reference)))
            precisions.append(common / max(1, len(caption.split())))
            recalls.append(common / len(reference.split()))
        p, r = max(precisions), max(recalls)
        total += (1 + 1.2**2) * p * r / (r + 1.2**2 * p) if p else 0
    return total / len(captions)


def test_values_equal_those_of_cocos_program():
    assert cider_d(CAPTIONS, REFERENCES) == pytest.approx(COCO_CIDER_D)
    assert rouge_l(CAPTIONS, REFERENCES) == pytest.approx(COCO_ROUGE_L)
    bleu = corpus_bleu(CAPTIONS, REFERENCES)
    assert list(bleu) == ["bleu_1", "bleu_2", "bleu_3", "bleu_4"]
    assert list(bleu.values()) == pytest.approx(COCO_BLEU)


@settings(deadline=None, max_examples=50)
@given(PAIRS)
def test_values_equal_those_of_loops(pairs):
    captions, references = zip(*pairs, strict=True)
    bleu = [naive_bleu(captions, references, order) for order in (1, 2, 3, 4)]
    assert list(corpus_bleu(captions, references).values()) == pytest.approx(bleu)
    assert rouge_l(captions, references) == pytest.approx(
        naive_rouge_l(captions, references)
    )
    assert cider_d(captions, references) == pytest.approx(
        naive_cider_d(captions, references), abs=1e-9
    )


def test_references_as_captions_score_highest():
    references = [[f"{text} {text} here"] for text in ("a b", "c d", "e f")]
    captions = [texts[0] for texts in references]
    assert list(corpus_bleu(captions, references).values()) == pytest.approx([100] * 4)
    assert rouge_l(captions, references) == pytest.approx(1)
    assert cider_d(captions, references) == pytest.approx(10)


def test_case_and_punctuation_are_ignored():
    noisy = [f"{caption.title()}!" for caption in CAPTIONS]
    assert corpus_bleu(noisy, REFERENCES) == corpus_bleu(CAPTIONS, REFERENCES)
    assert rouge_l(noisy, REFERENCES) == rouge_l(CAPTIONS, REFERENCES)
    assert cider_d(noisy, REFERENCES) == cider_d(CAPTIONS, REFERENCES)


def test_empty_captions_score_zero():
    empty = [""] * len(CAPTIONS)
    scores = score_captions(empty, REFERENCES, CAPTIONS)
    names = ("bleu_1", "bleu_4", "rouge_l", "cider_d", "distinct_1", "distinct_2")
    assert [scores[name] for name in names] == [0] * 6
    assert (scores["vocabulary"], scores["mean_words"]) == (0, 0)


def test_diversity_by_hand():
    captions = ["A dog runs.", "a dog runs", "a cat", "the dog"]
    assert caption_diversity(captions, ["A cat!", "a dog"]) == {
        "distinct_1": 5 / 10,
        "distinct_2": 4 / 6,
        "unique": 3 / 4,
        "novel": 3 / 4,
        "vocabulary": 5,
        "mean_words": 10 / 4,
    }


def test_a_collapsed_captioner_has_low_diversity():
    diversity = caption_diversity(["a man in a shirt"] * 50, ["a man in a shirt"])
    assert diversity["unique"] == 0.02 and diversity["novel"] == 0
    assert diversity["distinct_1"] == 4 / 250


def test_images_without_references_are_counted_and_left_out():
    captions = [*CAPTIONS, "something else", "and more"]
    scores = score_captions(captions, [*REFERENCES, [], ["?"]], ["two men ride a bike"])
    assert (scores["images"], scores["missing"]) == (5, 2)
    assert scores["cider_d"] == pytest.approx(COCO_CIDER_D)
    assert scores["rouge_l"] == pytest.approx(COCO_ROUGE_L)
    assert scores["bleu_4"] == pytest.approx(COCO_BLEU[3])
    assert scores["novel"] == 0.8
    assert scores == {
        **corpus_bleu(CAPTIONS, REFERENCES),
        "rouge_l": rouge_l(CAPTIONS, REFERENCES),
        "cider_d": cider_d(CAPTIONS, REFERENCES),
        **caption_diversity(CAPTIONS, ["two men ride a bike"]),
        "images": 5,
        "missing": 2,
    }
