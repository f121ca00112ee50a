"""Metrics of classifiers, and leaks of labels."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from kerasgan.classification.examples import PairExamples
from kerasgan.evaluation.classification_metrics import (
    classification_scores,
    find_label_leaks,
)

RANDOM = np.random.default_rng(0)
NAMES = ["Casual Shoes", "Hats", "Watches"]


def examples(texts, labels, first=0):
    images = np.arange(first, first + len(texts), dtype=np.uint8)
    images = np.tile(images[:, None, None, None], (1, 2, 2, 3))
    ids = [str(n) for n in range(len(texts))]
    return PairExamples(ids, images, [[text] for text in texts], np.array(labels))


def test_scores_equal_naive_counts():
    labels, predictions = RANDOM.integers(0, 3, (2, 200))
    scores = classification_scores(labels, predictions, NAMES)
    assert scores["accuracy"] == pytest.approx(np.mean(labels == predictions))
    assert scores["macro_f1"] == pytest.approx(
        f1_score(labels, predictions, average="macro")
    )
    for label, name in enumerate(NAMES):
        num_correct = np.sum((labels == label) & (predictions == label))
        assert scores["classes"][name]["recall"] == pytest.approx(
            num_correct / np.sum(labels == label)
        )
        assert scores["confusion"][label][label] == num_correct


def test_a_class_that_never_occurs_is_left_out_of_macro_f1():
    scores = classification_scores(np.array([0, 1]), np.array([0, 1]), NAMES)
    assert scores["macro_f1"] == 1
    assert scores["classes"]["Watches"]["pairs"] == 0


def test_leaks_are_counted():
    train = examples(["a red hat", "blue thing"], [1, 0])
    test = examples(["A red hat", "brown shoe", "my watch", "nothing"], [1, 2, 2, 0], 1)
    leaks = find_label_leaks(train, test, NAMES)
    assert leaks["named"] == 3 / 4  # hat, shoe, watch
    assert leaks["names_own"] == 2 / 4  # the hat and the watch
    assert leaks["texts_known"] == 1 / 4
    assert leaks["images_known"] == 1 / 4
    assert {"hat", "watch"} <= set(leaks["words"])
