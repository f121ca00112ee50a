"""A text classifier without neural networks, as a baseline."""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from kerasgan.classification.examples import PairExamples
from kerasgan.classification.linear_member import (
    ANALYZERS,
    TolerantTfidfVectorizer,
    build_regression,
)


def fit_text_baseline(
    examples: PairExamples, validation: float, seed: int = 0, balance: bool = False
) -> Pipeline:
    """Fits logistic regression on TF-IDF features of the first texts.

    If a pair has several labels, each class has a regression (one versus rest).
    N-grams are of words or of characters, whichever has the higher validation accuracy.

    Args:
        examples: the training examples.
        validation: share of the examples that validates, in (0, 1).
        seed: seed of the division.
        balance: whether classes count the same, however frequent they are.

    Returns:
        A scikit-learn pipeline that takes texts, fitted on all examples.

    Raises:
        UserError: all examples are of one group.
    """
    train_rows, held_out_rows = examples.hold_out(validation, seed)
    train, held_out = examples[train_rows], examples[held_out_rows]

    def validation_accuracy(analyzer):
        if len(np.unique(train.labels)) < 2:  # cannot be fitted: the first is used
            return 0.0
        model = _fit_model(analyzer, train, balance)
        return model.score(held_out.first_texts, held_out.labels)

    best = max(ANALYZERS.values(), key=validation_accuracy)
    return _fit_model(best, examples, balance)


def predict_text_baseline(
    model: Pipeline, texts: Sequence[str], num_classes: int
) -> np.ndarray:
    """Returns the probabilities of all classes, float64 `(n, num_classes)`.

    Args:
        model: the result of `fit_text_baseline` for pairs of one label.
        texts: n strings.
        num_classes: also of those that the model was not trained on.
    """
    probabilities = np.zeros((len(texts), num_classes))
    probabilities[:, model.classes_] = model.predict_proba(texts)
    return probabilities


def _fit_model(analyzer, examples, balance):
    regression = build_regression(balance)
    if examples.labels.ndim == 2:
        regression = OneVsRestClassifier(regression)
    model = make_pipeline(TolerantTfidfVectorizer(**analyzer), regression)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Label .* is present in all", UserWarning)
        return model.fit(examples.first_texts, examples.labels)
