"""Classes of different frequencies."""

import numpy as np
import pytest

from kerasgan.classification.ensemble_weights import fit_ensemble_weights
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.linear_member import LinearMember
from kerasgan.classification.task import ClassificationTask
from kerasgan.classification.train_classifier import fit_model
from kerasgan.config.settings import ClassifierConfig

RANDOM = np.random.default_rng(0)
RARE = 1  # one example of ten
CONFIG = ClassifierConfig(
    members=["image", "words"],
    image_dim=8,
    learning_rate=1e-2,
    epochs=20,
    folds=2,
    minutes=None,
)


def make_examples(count):
    """Features and words that both overlap between the classes."""
    labels = (np.arange(count) % 10 == 0).astype(int)
    features = RANDOM.normal(size=(count, 3)) + labels[:, None]
    has_hint = RANDOM.random(count) < np.where(labels == RARE, 0.6, 0.2)
    texts = [["some hint" if hint else "a word"] for hint in has_hint]
    return PairExamples([""] * count, features.astype("float32"), texts, labels)


TRAIN, TEST = make_examples(400), make_examples(2000)


def recall_of_rare_class(predictions):
    return (predictions[TEST.labels == RARE] == RARE).mean()


@pytest.mark.parametrize(
    ("fusion", "modality"), [("paper", "image"), ("ensemble", "pair")]
)
def test_the_recall_of_the_rare_class_rises(fusion, modality):
    TEST.tokenize(None)
    recalls, confidences = [], []
    for balance in (False, True):
        update = {"fusion": fusion, "modality": modality, "balance": balance}
        task = ClassificationTask(TRAIN, ["frequent", "rare"], image_encoder=object())
        config = CONFIG.model_copy(update=update)
        model = fit_model(config, task, progress=lambda line: None)
        probabilities = model.predict_proba(TEST)
        recalls.append(recall_of_rare_class(probabilities.argmax(axis=1)))
        confidences.append(probabilities[:, RARE].mean())
    assert recalls[1] > recalls[0] + 0.25
    # As many as there are, and as many as if both classes were equally frequent.
    assert confidences[0] == pytest.approx(0.1, abs=0.04) and confidences[1] > 0.25


def test_the_recall_of_a_linear_member_rises():
    recalls = []
    for balance in (False, True):
        member = LinearMember("text", "words", ["words"], 2, balance=balance)
        member.refit(TRAIN)
        predictions = member.predict_log_proba(TEST).argmax(axis=1)
        recalls.append(recall_of_rare_class(predictions))
    assert recalls[0] == 0 and recalls[1] > 0.4


def test_weights_of_examples_count_as_repetitions():
    log_probabilities = RANDOM.normal(size=(60, 2, 3))
    labels, counts = RANDOM.integers(0, 3, 60), RANDOM.integers(1, 5, 60)
    log_probabilities[np.arange(60), :, labels] += 1
    rows = np.repeat(np.arange(60), counts)
    expected = fit_ensemble_weights(log_probabilities[rows], labels[rows])
    weights = fit_ensemble_weights(log_probabilities, labels, counts)
    np.testing.assert_allclose(weights, expected, atol=1e-3)


def test_balanced_weights_are_those_of_equal_classes():
    weights = TRAIN.balanced_weight
    assert weights.mean() == pytest.approx(1)
    assert weights[TRAIN.labels == RARE].sum() == pytest.approx(200)
