"""Members that are trained separately, and their ensemble."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from kerasgan.classification.ensemble import fit_ensemble
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.linear_member import (
    IMAGE_NORM,
    LinearMember,
    build_regression,
)
from kerasgan.config.settings import ClassifierConfig
from kerasgan.errors import UserError
from kerasgan.layers.log_linear_ensemble import MIN_LOG_PROBABILITY

TEXTS = [["red shoe"], ["blue shoe", "shoes in blue"], ["green hat"], [], ["a hat"]]
LABELS = np.array([0, 0, 1, 1, 1])
FEATURES = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")


def make_examples(texts=TEXTS, labels=LABELS):
    count = len(texts)
    ids = [str(index) for index in range(count)]
    return PairExamples(ids, FEATURES[:count], texts, labels)


def make_member(name, num_classes):
    if name == "wide":
        return LinearMember("pair", name, ["words", "characters"], num_classes)
    if name == "linear_probe":
        return LinearMember("image", name, [], num_classes)
    return LinearMember("text", name, [name], num_classes)


@pytest.mark.parametrize("name", ["words", "characters", "wide", "linear_probe"])
@pytest.mark.parametrize("num_classes", [2, 3])
@pytest.mark.parametrize("texts", [TEXTS, [["1"], ["2"], ["!"], [], ["x"]]])
def test_graph_predicts_the_same_as_scikit_learn(name, num_classes, texts):
    labels = LABELS if num_classes == 2 else np.array([0, 2, 1, 1, 2])
    member, examples = make_member(name, num_classes), make_examples(texts, labels)
    member.refit(examples)
    expected = member.predict_log_proba(examples)
    inputs = {"text": tf.constant(examples.first_texts), "image": FEATURES[:5]}
    predictions = special.log_softmax(np.asarray(member.logits(inputs)), axis=1)
    np.testing.assert_allclose(predictions, expected, atol=1e-4)


def test_wide_member_uses_the_image_and_the_words():
    labels = np.arange(80) % 4
    texts = [[("odd", "even")[label % 2]] for label in labels]
    images = np.stack([labels // 2, np.ones(80), -labels // 2], axis=1)
    images = images + np.random.default_rng(0).normal(0, 0.1, (80, 3))
    examples = PairExamples([""] * 80, images, texts, labels)
    member = make_member("wide", 4)
    rows = np.arange(80)
    predictions = member.predict_held_out(examples, rows[:40], rows[40:])
    assert (predictions.argmax(1) == labels[40:]).mean() > 0.95


def test_linear_probe_is_logistic_regression_on_standardized_features():
    """Whatever their scale, and the number of the texts of an image."""
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    images = random.normal(np.eye(3)[labels], 0.4) * [1, 1e3, 1e-3] + 5
    texts = [["a text"] * (index % 4) for index in range(60)]
    member = make_member("linear_probe", 3)
    examples = PairExamples([""] * 60, images, texts, labels)
    member.refit(examples)
    scaled = StandardScaler().fit_transform(images) * IMAGE_NORM / np.sqrt(3)
    regression = build_regression().fit(scaled, labels)
    np.testing.assert_allclose(
        member.predict_log_proba(examples),
        regression.predict_log_proba(scaled),
        atol=0.02,
    )


def test_a_class_without_training_examples_is_unlikely():
    member = make_member("words", 3)
    member.refit(make_examples())
    predictions = member.predict_log_proba(make_examples())
    assert (predictions[:, 2] < MIN_LOG_PROBABILITY / 2).all()
    assert np.isfinite(predictions).all()


def test_a_single_training_class_is_always_predicted():
    member = make_member("words", 3)
    member.refit(make_examples(labels=np.full(5, 1)))
    assert (member.predict_log_proba(make_examples()).argmax(1) == 1).all()


class Oracle:
    """A member that knows the labels, and records what it was trained on."""

    modality = "image"

    def __init__(self):
        self.train_rows, self.validation_rows, self.refitted = [], [], False

    def predict_held_out(self, examples, train_rows, validation_rows):
        assert not set(train_rows) & set(validation_rows)
        self.train_rows.append(train_rows)
        self.validation_rows.append(validation_rows)
        labels = examples.labels[validation_rows]
        return np.log(0.98 * np.eye(2)[labels] + 0.01)

    def refit(self, examples):
        self.refitted = len(examples)


def test_weights_are_fitted_on_held_out_pairs():
    labels = np.arange(60) % 2
    texts = [["odd words"] if label else ["even words"] for label in labels]
    oracle = Oracle()
    config = ClassifierConfig(folds=3, ensemble_pairs=30)
    members = {"image": oracle, "words": make_member("words", 2)}
    ensemble = fit_ensemble(members, make_examples(texts, labels), config)
    sizes = [len(rows) for rows in oracle.validation_rows]
    assert sizes == [20, 20]  # two folds are enough for 30 pairs
    assert oracle.refitted == 60
    assert ensemble.weights[0, 0] > 0 and ensemble.weights[2, 1] > 0
    assert ensemble.weights[1, 1] == ensemble.weights[2, 0] == 0
    np.testing.assert_allclose(ensemble.prior, [0.5, 0.5])


def predicted_folds(labels, groups=None):
    """The rows that members are trained on and predict, fold by fold."""
    examples = make_examples([[]] * len(labels), labels)
    if groups is not None:
        examples.groups = groups
    oracle = Oracle()
    config = ClassifierConfig(folds=4, ensemble_pairs=len(labels))
    fit_ensemble({"image": oracle}, examples, config, seed=2)
    return list(zip(oracle.train_rows, oracle.validation_rows, strict=True))


@pytest.mark.parametrize("num_labels", [50, 2])
def test_single_pairs_are_divided_by_scikit_learn(num_labels):
    """Into stratified folds, unless each class has fewer pairs than there are folds."""
    labels = np.arange(num_labels) % 2
    splitter, num_folds = (StratifiedKFold, 4) if num_labels == 50 else (KFold, 2)
    folds = splitter(num_folds, shuffle=True, random_state=2).split(labels, labels)
    for found, expected in zip(predicted_folds(labels), folds, strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])


def test_groups_are_in_one_fold():
    """Such as the images of one row, which have the same text and the same label."""
    groups = np.repeat(np.arange(20), 3)
    labels = groups % 2
    folds = predicted_folds(labels, groups)
    assert sorted(np.concatenate([rows for _, rows in folds])) == list(range(60))
    for train_rows, validation_rows in folds:
        assert not set(groups[train_rows]) & set(groups[validation_rows])
        assert 6 <= labels[validation_rows].sum() <= 9  # stratified
    with pytest.raises(UserError, match="Received: 60 training images"):
        predicted_folds(labels, np.zeros(60, int))
