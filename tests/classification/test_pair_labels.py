"""The labels of `PairClassifier`: one for each pair, or any number."""

import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.utils import get_tags

import kerasgan
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.pair_labels import check_labels, encode_labels
from kerasgan.classification.task import ClassificationTask
from kerasgan.classification.train_classifier import fit_model, to_classifier
from kerasgan.config.settings import ClassifierConfig

RANDOM = np.random.default_rng(0)
NAMES = [["dog", "red"], ["red"], [], ["dog", "green"], ["green", "red"], ["dog"]] * 8
BINARIZER = MultiLabelBinarizer()
LABELS = BINARIZER.fit_transform(NAMES)  # dog, green, red
TEXTS = [("a dog runs" if "dog" in names else "a cat sleeps") for names in NAMES]
COLORS = LABELS[:, 1:] @ [[20, 220, 20], [220, 20, 20]]
NOISE = RANDOM.integers(0, 9, (len(NAMES), 32, 32, 3))
IMAGES = (COLORS[:, None, None] + NOISE).clip(0, 255).astype(np.uint8)
PAIRS = kerasgan.image_text_pairs(IMAGES, TEXTS)
TINY = {
    "multi_label": True,
    "members": ("image", "words"),
    "encoder_filters": (4, 4),
    "epochs": 3,
    "folds": 2,
    "random_state": 0,
}
WORDS = TINY | {"members": ("words",)}


@pytest.fixture(scope="module")
def fitted():
    return kerasgan.PairClassifier(**TINY).fit(IMAGES, TEXTS, LABELS)


def test_predictions_are_an_indicator_matrix(fitted):
    probabilities = fitted.predict_proba(IMAGES, TEXTS)
    predictions = fitted.predict(IMAGES, TEXTS)
    assert probabilities.shape == predictions.shape == (48, 3)
    assert not np.allclose(probabilities.sum(axis=1), 1, atol=0.1)
    assert predictions.dtype == np.int64
    assert fitted.thresholds_.tolist() == [0.5] * 3
    np.testing.assert_array_equal(predictions, probabilities >= 0.5)
    np.testing.assert_array_equal(predictions[:, 0], LABELS[:, 0])  # the texts say it
    names = BINARIZER.inverse_transform(predictions)
    assert "dog" in names[0] and "dog" not in names[1]


def test_the_score_is_the_subset_accuracy(fitted):
    predictions = fitted.predict(PAIRS)
    labels = LABELS.copy()
    labels[:, 0] = 1 - labels[:, 0]  # always wrong
    labels[:5] = predictions[:5]
    weights = np.arange(48)
    assert fitted.score(PAIRS, labels) == 5 / 48
    assert fitted.score(PAIRS, labels, sample_weight=weights) == pytest.approx(
        accuracy_score(labels, predictions, sample_weight=weights)
    )


def test_trains_as_the_command_does(fitted):
    fields = {name: value for name, value in TINY.items() if name != "random_state"}
    fields |= {"members": ["image", "words"], "encoder_filters": [4, 4]}
    config = ClassifierConfig(minutes=None, **fields)
    captions = [[text] for text in TEXTS]
    examples = PairExamples([*map(str, range(48))], IMAGES, captions, LABELS)
    task = ClassificationTask(examples, list(BINARIZER.classes_))
    model = fit_model(config, task, progress=lambda line: None)
    expected = to_classifier(model, task).classify(IMAGES, TEXTS)
    probabilities = fitted.predict_proba(IMAGES, TEXTS)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)


def test_thresholds_of_the_highest_f1():
    classifier = kerasgan.PairClassifier(**WORDS, threshold="f1")
    classifier.fit(None, TEXTS, LABELS)
    assert len(set(classifier.thresholds_)) == 3
    probabilities = classifier.predict_proba(None, TEXTS)
    expected = probabilities >= classifier.thresholds_
    np.testing.assert_array_equal(classifier.predict(None, TEXTS), expected)


@pytest.mark.parametrize("columns", [2, 3])
@pytest.mark.parametrize("scoring", [None, "average_precision", "f1_micro"])
def test_tools_of_scikit_learn(columns, scoring):
    words = kerasgan.PairClassifier(**WORDS)
    labels = LABELS[:, :columns]
    scores = cross_val_score(
        words, PAIRS, labels, cv=3, scoring=scoring, error_score="raise"
    )
    assert scores.shape == (3,) and (scores >= 0).all() and scores.max() > 0


def test_thresholds_are_searched():
    grid = {"threshold": np.array([0.999, 0.5])}
    words = kerasgan.PairClassifier(**WORDS)
    search = GridSearchCV(words, grid, cv=2, scoring="f1_micro", error_score="raise")
    search.fit(PAIRS, LABELS)
    assert search.best_params_ == {"threshold": 0.5}
    assert search.predict(PAIRS).shape == (48, 3)


def test_tags():
    for multi_label in (False, True):
        classifier = clone(kerasgan.PairClassifier(multi_label=multi_label))
        assert get_tags(classifier).classifier_tags.multi_label == multi_label


def test_a_pickled_classifier_and_a_saved_model_predict_the_same(fitted, tmp_path):
    predictions = fitted.predict(PAIRS)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(PAIRS), predictions)
    assert again.score(PAIRS, LABELS) == fitted.score(PAIRS, LABELS)
    fitted.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    inputs = {
        "image": tf.constant(IMAGES, tf.float32),
        "has_image": tf.ones(48, tf.bool),
        "text": tf.constant(TEXTS),
    }
    loaded = np.asarray(model(inputs))
    np.testing.assert_allclose(loaded, fitted.predict_proba(PAIRS), atol=1e-5)


def test_a_classifier_is_trained_again_with_one_label():
    classifier = kerasgan.PairClassifier(**WORDS).fit(PAIRS, LABELS)
    assert [classes.tolist() for classes in classifier.classes_] == [[0, 1]] * 3
    classifier.set_params(multi_label=False).fit(PAIRS, LABELS[:, 0])
    assert classifier.thresholds_ is None
    assert classifier.predict(PAIRS).tolist() == LABELS[:, 0].tolist()


@pytest.mark.parametrize(
    "labels",
    [LABELS, LABELS.tolist(), LABELS.astype(bool), sparse.csr_array(LABELS)],
)
def test_indicator_matrices_of_any_type(labels):
    checked = check_labels(labels, multi_label=True)
    assert checked.dtype == np.uint8
    np.testing.assert_array_equal(checked, LABELS)
    _, names, targets = encode_labels(checked)
    assert names == ["0", "1", "2"] and targets is checked


def changed(value):
    labels = LABELS.astype(type(value))
    labels[1, 2] = value
    return labels


@pytest.mark.parametrize(
    "labels, message",
    [
        (LABELS[:, 0], r"MultiLabelBinarizer. Received the shape: \(48,\)"),
        (LABELS[:, :1], r"at least two classes.* Received the shape: \(48, 1\)"),
        (LABELS[None], r"Received the shape: \(1, 48, 3\)"),
        (NAMES, "MultiLabelBinarizer. Received lists of different lengths"),
        ([["dog", "red"]] * 48, r"zeros and ones.* Received at \[0, 0\]: 'dog'"),
        (changed(2), r"zeros and ones.* Received at \[1, 2\]: 2"),
        (changed(0.5), r"Received at \[1, 2\]: 0.5"),
        (changed(np.nan), r"Received at \[1, 2\]: nan"),
        (LABELS * 0, "No pair has a label: all values of the labels are 0"),
        (LABELS * [1, 0, 1], "all 0. Received such columns: 1$"),
        (np.eye(48, 60, dtype=int), "columns: 48, 49, .* 57, …$"),
        (LABELS[1:], "lengths differ. Received: 48 images, 48 texts, 47 labels"),
    ],
)
def test_bad_labels_are_a_value_error(labels, message):
    with pytest.raises(ValueError, match=message):
        kerasgan.PairClassifier(**TINY).fit(IMAGES, TEXTS, labels)


def test_several_labels_need_the_argument():
    with pytest.raises(ValueError, match="set multi_label=True. Received at index 0"):
        kerasgan.PairClassifier().fit(IMAGES, TEXTS, LABELS)


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"balance": True}, "classifier.balance=true and"),
        ({"mask_label_words": True}, "mask_label_words needs the names"),
        ({"threshold": 1.5}, "threshold"),
        ({"threshold": "recall"}, "threshold"),
        ({"fusion": "paper", "patience": None, "threshold": "f1"}, "Set patience"),
    ],
)
def test_parameters_that_do_not_fit(parameters, message):
    classifier = kerasgan.PairClassifier(**TINY | parameters)
    with pytest.raises(ValueError, match=message):
        classifier.fit(PAIRS, LABELS)


def test_a_score_needs_labels_of_the_same_kind(fitted):
    with pytest.raises(ValueError, match=r"Received the shape: \(48,\)"):
        fitted.score(PAIRS, LABELS[:, 0])
