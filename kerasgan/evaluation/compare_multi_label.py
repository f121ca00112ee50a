"""A row of the comparison of classifiers whose pairs have any number of labels."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kerasgan.classification.task import ClassificationTask
from kerasgan.classification.thresholds import DEFAULT_THRESHOLD
from kerasgan.classification.trained_models import TrainedEnsemble, TrainedNetwork
from kerasgan.config.settings import Settings
from kerasgan.evaluation.multi_label_metrics import multi_label_scores
from kerasgan.evaluation.text_baseline import fit_text_baseline


def evaluate_multi_label_row(
    row: str,
    settings: Settings,
    task: ClassificationTask,
    train_row: Callable[[], TrainedNetwork | TrainedEnsemble],
) -> dict[str, Any]:
    """Trains and evaluates a row.

    Args:
        row: a name in `compare_classifiers.ROWS`.
        settings: the settings of the run.
        task: with training and test examples.
        train_row: trains the model of the row, unless it is a baseline.

    Returns:
        The results of `multi_label_scores`; `train_accuracy`, the subset accuracy on
        the training examples; and of an ensemble the `weights` of its members.
    """
    splits, names = (task.train, task.test), task.label_names
    thresholds: Any = np.full(len(names), DEFAULT_THRESHOLD)
    weights: dict[str, Any] = {}
    if row == "majority":
        shares = task.train.labels.mean(axis=0)
        thresholds = np.full(len(names), shares.max())  # the most frequent label
        probabilities = [np.tile(shares, (len(split), 1)) for split in splits]
    elif row == "tfidf":
        seed = settings.training.seed
        baseline = fit_text_baseline(task.train, settings.classifier.validation, seed)
        probabilities = [baseline.predict_proba(split.first_texts) for split in splits]
    else:
        model = train_row()
        thresholds, weights = model.thresholds, model.member_weights
        probabilities = [model.predict_proba(split) for split in splits]
    train_scores, scores = (
        multi_label_scores(split.labels, array, thresholds, names)
        for split, array in zip(splits, probabilities, strict=True)
    )
    scores["train_accuracy"] = train_scores["accuracy"]
    return scores | ({"weights": weights} if weights else {})
