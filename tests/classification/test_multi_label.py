"""Classifiers of pairs that have any number of labels."""

import numpy as np
import pytest
from scipy import special
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier

from kerasgan.classification.classifier import load_classifier
from kerasgan.classification.ensemble_weights import fit_ensemble_weights
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.linear_member import (
    ANALYZERS,
    TFIDF_OPTIONS,
    LinearMember,
    TolerantTfidfVectorizer,
    build_regression,
)
from kerasgan.classification.scores import (
    accuracy,
    class_counts,
    label_lists,
    log_loss,
    multi_hot,
)
from kerasgan.classification.task import (
    ClassificationTask,
    check_settings,
    data_config,
)
from kerasgan.classification.thresholds import choose_thresholds
from kerasgan.classification.train_classifier import fit_model, to_classifier
from kerasgan.config.settings import ClassifierConfig, DataConfig, Settings
from kerasgan.errors import UserError
from kerasgan.runs import new_run

RANDOM = np.random.default_rng(0)
NAMES = ["red", "green", "dog", "rare"]
COLORS = np.array([[220, 20, 20], [20, 220, 20]])
TINY = ClassifierConfig(
    multi_label=True,
    filters=[4],
    encoder_filters=[4, 4],
    members=["image", "lstm", "words", "pair"],
    image_dim=8,
    text_dim=8,
    text_length=6,
    epochs=3,
    folds=2,
    minutes=None,
)


def ignore(line):
    """Prints nothing."""


def make_examples(count):
    """Images are red, green or yellow (both); a text may have a dog."""
    labels = np.zeros((count, len(NAMES)), np.uint8)
    labels[:, :3] = RANDOM.integers(0, 2, (count, 3))
    labels[0, 3] = 1
    images = labels[:, :2] @ COLORS + RANDOM.integers(0, 9, (32, 32, count, 3))
    images = images.transpose(2, 0, 1, 3).clip(0, 255).astype(np.uint8)
    texts = [["a dog runs"] if row[2] else ["a cat sleeps"] for row in labels]
    return PairExamples([str(n) for n in range(count)], images, texts, labels)


@pytest.fixture(scope="module")
def examples():
    return make_examples(48)


@pytest.fixture(scope="module")
def ensemble(examples):
    return fit_model(TINY, ClassificationTask(examples, NAMES), progress=ignore)


def test_labels_as_lists_and_as_an_array():
    array = multi_hot([[0, 2], [], [1]], 3)
    assert array.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert label_lists(array) == [[0, 2], [], [1]]
    assert multi_hot([], 3).shape == (0, 3)
    assert class_counts(array, 3).tolist() == [1, 1, 1]
    assert class_counts(np.array([0, 2, 2]), 4).tolist() == [1, 0, 2, 0]


@pytest.mark.parametrize(
    "labels", [RANDOM.integers(0, 3, 5), RANDOM.integers(0, 2, (5, 3))]
)
def test_gradients_of_the_log_loss(labels):
    logits = RANDOM.normal(size=(5, 3))
    losses, gradients = log_loss(logits, labels)
    for column in range(3):
        step = np.zeros(3)
        step[column] = 1e-6
        slope = (log_loss(logits + step, labels)[0] - losses) / 1e-6
        np.testing.assert_allclose(slope, gradients[:, column], atol=1e-5)


def test_accuracy_of_decisions():
    logits = np.array([[1.0, -1.0], [3.0, 2.0]])
    assert accuracy(logits, np.array([0, 1])) == 0.5
    assert accuracy(logits, np.array([[1, 0], [1, 0]])) == 0.75


def test_linear_members_are_one_versus_rest_of_scikit_learn():
    texts = ["red dog", "green dog", "red cat", "a green bird", "blue", "red bird"]
    labels = multi_hot([[0, 1], [1], [0], [2], [], [0, 2]], 5)
    labels[:, 4] = 1
    examples = PairExamples(texts, None, [[text] for text in texts], labels)
    member = LinearMember("text", "words", ["words"], 5, multi_label=True)
    member.refit(examples)
    scores = member.predict_log_proba(examples)
    vectorizer = TolerantTfidfVectorizer(**TFIDF_OPTIONS, **ANALYZERS["words"])
    expected = OneVsRestClassifier(build_regression())
    features = vectorizer.fit_transform(texts)
    expected.fit(features, labels[:, :3])
    np.testing.assert_allclose(
        special.expit(scores[:, :3]), expected.predict_proba(features), atol=1e-5
    )
    assert (scores[:, 3] == np.log(0.5 / 6.5)).all()  # no example has it
    assert (scores[:, 4] == np.log(6.5 / 0.5)).all()  # all have it


def test_linear_probe_decides_about_each_class():
    labels = np.random.default_rng(0).integers(0, 2, (80, 3)).astype("uint8")
    images = labels + np.random.default_rng(1).normal(0, 0.1, (80, 3))
    examples = PairExamples([""] * 80, images, [["a", "b"]] * 80, labels)
    member = LinearMember("image", "linear_probe", [], 3, multi_label=True)
    member.refit(examples)
    decisions = member.predict_log_proba(examples) > 0
    np.testing.assert_array_equal(decisions, labels)


def test_weights_minimize_the_log_loss_of_all_decisions():
    labels = RANDOM.integers(0, 2, (300, 4))
    good = 2 * labels - 1 + RANDOM.normal(size=labels.shape)
    scores = np.stack([good, RANDOM.normal(size=labels.shape)], axis=1)
    weights = fit_ensemble_weights(scores, labels)
    grid = np.linspace(0, 4, 81)
    losses = [log_loss(weight * good, labels)[0].mean() for weight in grid]
    assert weights[0] == pytest.approx(grid[np.argmin(losses)], abs=0.06)
    assert weights[1] < 0.1


def test_thresholds_have_the_highest_f1_of_each_class():
    labels = RANDOM.integers(0, 2, (200, 3)).astype(np.uint8)
    labels[:, 2] = 0
    probabilities = special.expit(labels - 2 + RANDOM.normal(size=labels.shape))
    assert choose_thresholds(0.3, probabilities, labels).tolist() == [0.3] * 3
    thresholds = choose_thresholds("f1", probabilities, labels)
    assert thresholds[2] == 0.5  # no example has it
    for column in range(2):
        scores = {
            candidate: f1_score(
                labels[:, column], probabilities[:, column] >= candidate
            )
            for candidate in [*np.linspace(0, 1, 101), thresholds[column]]
        }
        assert scores[thresholds[column]] == max(scores.values())


def test_the_ensemble_finds_labels_of_images_and_texts(examples, ensemble):
    probabilities = ensemble.predict_proba(examples)
    assert ensemble.thresholds.tolist() == [0.5] * 4
    is_dog = examples.labels[:, 2] == 1
    assert probabilities[is_dog, 2].min() > probabilities[~is_dog, 2].max()
    assert not np.allclose(probabilities.sum(axis=1), 1, atol=0.1)
    assert (probabilities[:, 3] < 0.5).all()


def test_a_saved_classifier_predicts_the_same(examples, ensemble, tmp_path):
    task = ClassificationTask(examples, NAMES)
    settings = Settings(classifier=TINY)
    run = new_run("train-classifier", settings, tmp_path / "run")
    to_classifier(ensemble, task).save(run)
    classifier = load_classifier(run)
    assert classifier.multi_label and classifier.thresholds == [0.5] * 4
    scores = ensemble.predict_log_proba_by_member(examples)
    images, texts = examples.images, examples.first_texts
    for missing, inputs in (
        ((), (images, texts)),
        (("text",), (images, None)),
        (("image",), (None, texts)),
        (("image", "text"), (None, [""] * len(texts))),
    ):
        expected = ensemble.combine(scores, examples, missing)
        np.testing.assert_allclose(classifier.classify(*inputs), expected, atol=1e-4)
    shares = examples.labels.mean(axis=0)
    np.testing.assert_allclose(classifier.classify(None, [""])[0], shares, atol=1e-4)


@pytest.mark.parametrize("threshold", [0.25, "f1"])
def test_papers_network(examples, threshold):
    config = TINY.model_copy(update={"fusion": "paper", "threshold": threshold})
    task = ClassificationTask(examples, NAMES)
    model = fit_model(config, task, progress=ignore)
    if threshold != "f1":
        assert model.thresholds.tolist() == [0.25] * 4
    assert ((model.thresholds > 0) & (model.thresholds < 1)).all()
    classifier = to_classifier(model, task)
    probabilities = classifier.classify(examples.images, examples.first_texts)
    expected = model.predict_proba(examples)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert not np.allclose(probabilities.sum(axis=1), 1, atol=0.1)


def test_thresholds_need_held_out_pairs(examples):
    update = {"fusion": "paper", "threshold": "f1", "patience": None}
    config = TINY.model_copy(update=update)
    with pytest.raises(UserError, match="patience=null there are none"):
        fit_model(config, ClassificationTask(examples, NAMES), progress=ignore)


def test_all_labels_are_read_for_several_labels_only():
    settings = Settings(classifier=TINY)
    assert data_config(settings).several_labels == "all"
    balanced = settings.classifier.model_copy(update={"balance": True})
    with pytest.raises(UserError, match="--balance .* --multi-label"):
        check_settings(Settings(classifier=balanced))
    settings = Settings(data=DataConfig(several_labels="all"))
    with pytest.raises(UserError, match="Train with --multi-label"):
        check_settings(settings)
