"""Parts that are trained alone."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from kerasgan.classification.ensemble import fit_ensemble
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.linear_member import LinearMember
from kerasgan.config.settings import ClassifierConfig
from kerasgan.layers.log_linear_ensemble import MIN_LOG_PROBABILITY

TEXTS = [["red shoe"], ["blue shoe", "shoes in blue"], ["green hat"], [], ["a hat"]]
LABELS = np.array([0, 0, 1, 1, 1])
SEEN = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")


def examples(texts=TEXTS, labels=LABELS):
    count = len(texts)
    return PairExamples([str(n) for n in range(count)], SEEN[:count], texts, labels)


def part_of(name, classes):
    if name == "wide":
        return LinearMember("pair", name, ["words", "characters"], classes)
    return LinearMember("text", name, [name], classes)


@pytest.mark.parametrize("name", ["words", "characters", "wide"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("texts", [TEXTS, [["1"], ["2"], ["!"], [], ["x"]]])
def test_graph_says_what_scikit_learn_says(name, classes, texts):
    labels = LABELS if classes == 2 else np.array([0, 2, 1, 1, 2])
    part, pairs = part_of(name, classes), examples(texts, labels)
    part.refit(pairs)
    wanted = part.log_probabilities(pairs)
    sides = {"text": tf.constant(pairs.first_texts), "image": SEEN[:5]}
    found = special.log_softmax(np.asarray(part.logits(sides)), axis=1)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_wide_hears_the_image_beside_the_words():
    labels = np.arange(80) % 4
    texts = [[("odd", "even")[label % 2]] for label in labels]
    images = np.stack([labels // 2, np.ones(80), -labels // 2], axis=1)
    images = images + np.random.default_rng(0).normal(0, 0.1, (80, 3))
    pairs = PairExamples([""] * 80, images, texts, labels)
    part = part_of("wide", 4)
    rows = np.arange(80)
    outside = part.outside(pairs, rows[:40], rows[40:])
    assert (outside.argmax(1) == labels[40:]).mean() > 0.95


def test_a_class_that_was_not_met_is_unlikely():
    part = part_of("words", 3)
    part.refit(examples())
    found = part.log_probabilities(examples())
    assert (found[:, 2] < MIN_LOG_PROBABILITY / 2).all() and np.isfinite(found).all()


def test_one_class_alone_is_the_answer():
    part = part_of("words", 3)
    part.refit(examples(labels=np.full(5, 1)))
    assert (part.log_probabilities(examples()).argmax(1) == 1).all()


class Oracle:
    """A part that knows the answer, and notes what it was trained on."""

    modality = "image"

    def __init__(self):
        self.asked, self.refitted = [], False

    def outside(self, examples, fitted, held):
        assert not set(fitted) & set(held)
        self.asked.append(held)
        return np.log(0.98 * np.eye(2)[examples.labels[held]] + 0.01)

    def refit(self, examples):
        self.refitted = len(examples)


def test_weights_come_from_pairs_that_were_held_back():
    labels = np.arange(60) % 2
    texts = [["odd words"] if label else ["even words"] for label in labels]
    oracle = Oracle()
    settings = ClassifierConfig(folds=3, ensemble_pairs=30)
    parts = {"image": oracle, "words": part_of("words", 2)}
    pool = fit_ensemble(parts, examples(texts, labels), settings)
    assert [len(held) for held in oracle.asked] == [20, 20]  # 40 are enough for 30
    assert oracle.refitted == 60
    assert pool.weights[0, 0] > 0 and pool.weights[2, 1] > 0
    assert pool.weights[1, 1] == pool.weights[2, 0] == 0
    np.testing.assert_allclose(pool.prior, [0.5, 0.5])
