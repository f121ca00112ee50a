"""Scores of classes, and labels as arrays.

A pair has one label, int64 `(n,)`, and scores are log-probabilities; or it has any
number of labels, uint8 `(n, classes)` of zeros and ones, and scores are log-odds: each
class is a decision of its own.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import special


def multi_hot(labels: Iterable[Sequence[int]], num_classes: int) -> np.ndarray:
    """Converts lists of labels to an array.

    Args:
        labels: the classes of each of n pairs.
        num_classes: number of classes.

    Returns:
        uint8 `(n, num_classes)`: 1 for each class of a pair.
    """
    rows = [np.bincount(row, minlength=num_classes) for row in labels]
    return np.array(rows, np.uint8).reshape(-1, num_classes)


def label_lists(labels: np.ndarray) -> list[list[int]]:
    """Returns the classes of each pair, the opposite of `multi_hot`.

    Args:
        labels: `(n,)` or `(n, classes)`.
    """
    if labels.ndim == 1:
        return [[label] for label in labels.tolist()]
    return [np.flatnonzero(row).tolist() for row in labels]


def class_counts(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts the pairs of each class, int64 `(num_classes,)`.

    Args:
        labels: `(n,)` or `(n, num_classes)`.
        num_classes: number of classes.
    """
    if labels.ndim == 2:
        return labels.sum(axis=0, dtype=np.int64)
    return np.bincount(labels, minlength=num_classes)


def to_scores(logits: np.ndarray, multi_label: bool) -> np.ndarray:
    """Converts logits `(n, classes)` to log-probabilities, or to log-odds.

    Args:
        logits: of a softmax, or of a sigmoid for each class, which are log-odds.
        multi_label: whether a pair has any number of labels.
    """
    return logits if multi_label else special.log_softmax(logits, axis=1)


def to_probabilities(scores: np.ndarray, multi_label: bool) -> np.ndarray:
    """Converts the results of `to_scores` to probabilities `(n, classes)`.

    Args:
        scores: log-probabilities or log-odds.
        multi_label: whether a pair has any number of labels.
    """
    return special.expit(scores) if multi_label else np.exp(scores)


def log_loss(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Computes the log-loss of pairs, of several labels the sum over the classes.

    Args:
        logits: `(n, classes)`.
        labels: `(n,)` or `(n, classes)`.

    Returns:
        The losses `(n,)`, and their gradients `(n, classes)` by the logits.
    """
    if labels.ndim == 2:
        losses = np.logaddexp(0, logits) - labels * logits
        return losses.sum(axis=1), special.expit(logits) - labels
    log_probabilities = special.log_softmax(logits, axis=1)
    rows = np.arange(len(labels))
    gradients = np.exp(log_probabilities)
    gradients[rows, labels] -= 1
    return -log_probabilities[rows, labels], gradients


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Returns the share of right decisions at a probability of 0.5 or the highest one.

    Args:
        logits: `(n, classes)`.
        labels: `(n,)` or `(n, classes)`.
    """
    predictions = logits > 0 if labels.ndim == 2 else logits.argmax(axis=1)
    return float((predictions == labels).mean())
