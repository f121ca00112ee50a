"""A text classifier without neural networks, as a baseline."""

from collections.abc import Sequence

import numpy as np
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

    N-grams are of words or of characters, whichever has the higher validation accuracy.

    Args:
        examples: the training examples.
        validation: share of the examples that validates, in (0, 1).
        seed: seed of the division.
        balance: whether classes count the same, however frequent they are.

    Returns:
        A scikit-learn pipeline that takes texts, fitted on all examples.
    """
    rows = np.random.default_rng(seed).permutation(len(examples))
    num_validation = max(1, round(validation * len(rows)))
    train, held_out = examples[rows[num_validation:]], examples[rows[:num_validation]]

    def validation_accuracy(analyzer):
        if len(np.unique(train.labels)) < 2:  # cannot be fitted: the first is used
            return 0.0
        model = _build_model(analyzer, balance).fit(train.first_texts, train.labels)
        return model.score(held_out.first_texts, held_out.labels)

    best = max(ANALYZERS.values(), key=validation_accuracy)
    return _build_model(best, balance).fit(examples.first_texts, examples.labels)


def predict_text_baseline(
    model: Pipeline, texts: Sequence[str], num_classes: int
) -> np.ndarray:
    """Returns the probabilities of all classes, float64 `(n, num_classes)`.

    Args:
        model: the result of `fit_text_baseline`.
        texts: n strings.
        num_classes: also of those that the model was not trained on.
    """
    probabilities = np.zeros((len(texts), num_classes))
    probabilities[:, model.classes_] = model.predict_proba(texts)
    return probabilities


def _build_model(analyzer, balance):
    return make_pipeline(TolerantTfidfVectorizer(**analyzer), build_regression(balance))
