"""A text classifier without neural networks, as a baseline."""

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from kerasgan.classification.examples import PairExamples
from kerasgan.classification.linear_member import (
    ANALYZERS,
    REGRESSION_OPTIONS,
    TolerantTfidfVectorizer,
)


def fit_text_baseline(
    examples: PairExamples, validation: float, seed: int = 0
) -> Pipeline:
    """Fits logistic regression on TF-IDF features of the first texts.

    If a pair has several labels, each class has a regression (one versus rest).
    N-grams are of words or of characters, whichever has the higher validation accuracy.

    Args:
        examples: the training examples.
        validation: share of the examples that validates, in (0, 1).
        seed: seed of the division.

    Returns:
        A scikit-learn pipeline that takes texts, fitted on all examples.
    """
    rows = np.random.default_rng(seed).permutation(len(examples))
    num_validation = max(1, round(validation * len(rows)))
    train, held_out = examples[rows[num_validation:]], examples[rows[:num_validation]]

    def validation_accuracy(analyzer):
        if len(np.unique(train.labels)) < 2:  # cannot be fitted: the first is used
            return 0.0
        model = _fit_model(analyzer, train)
        return model.score(held_out.first_texts, held_out.labels)

    best = max(ANALYZERS.values(), key=validation_accuracy)
    return _fit_model(best, examples)


def _fit_model(analyzer, examples):
    regression = LogisticRegression(**REGRESSION_OPTIONS)
    if examples.labels.ndim == 2:
        regression = OneVsRestClassifier(regression)
    model = make_pipeline(TolerantTfidfVectorizer(**analyzer), regression)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Label .* is present in all", UserWarning)
        return model.fit(examples.first_texts, examples.labels)
