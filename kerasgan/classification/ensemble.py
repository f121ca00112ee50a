"""Ours: parts that are trained alone, each to its own stopping point, then pooled.

Branches that are trained under one head drown each other: the one that learns sooner
takes the gradient from the other, and one number of epochs suits neither (Wang et al.
2020, "What Makes Training Multi-modal Classification Networks Hard?",
https://arxiv.org/abs/1905.12681). Here each part is trained alone; how much each is
believed is fitted on pairs that it was not trained on.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from kerasgan.classification.ensemble_weights import fit_ensemble_weights
from kerasgan.layers.log_linear_ensemble import MIN_LOG_PROBABILITY


@dataclass
class Ensemble:
    """Parts, and `weights` `(3, parts)`: for a pair, an image alone, a text alone."""

    parts: dict
    weights: np.ndarray
    prior: np.ndarray


def fit_ensemble(parts, examples, settings, seed=0):
    """Trains the parts and weighs them.

    Args:
        parts: name to part.
        examples: `Examples` with labels and token ids.
        settings: a `kerasgan.config.settings.ClassifierConfig`.

    Returns:
        A `Pool` whose parts are trained on all examples.
    """
    rows, outside = _out_of_fold(parts, examples, settings, seed)
    labels = examples.labels[rows]
    read = examples.has_text[rows]
    kinds = np.array([part.modality for part in parts.values()])
    weights = np.zeros((3, len(parts)))
    for row, (kept, known) in enumerate(
        (
            (kinds != "", read),
            (kinds == "image", np.ones_like(read)),
            (kinds == "text", read),
        )
    ):
        if kept.any():
            weights[row, kept] = fit_ensemble_weights(
                outside[known][:, kept], labels[known]
            )
    for part in parts.values():
        part.refit(examples)
    prior = np.bincount(examples.labels, minlength=outside.shape[2]) / len(examples)
    return Ensemble(parts, weights, prior)


def _out_of_fold(parts, examples, settings, seed):
    """Rows, and their log-probabilities `(n, parts, classes)` by parts that were not
    trained on them: fold after fold until there are enough to fit the weights."""
    rows, found = [], []
    for fitted, held in _folds(examples.labels, settings.folds, seed):
        said = [part.outside(examples, fitted, held) for part in parts.values()]
        rows.append(held)
        found.append(np.maximum(np.stack(said, axis=1), MIN_LOG_PROBABILITY))
        if sum(map(len, rows)) >= settings.ensemble_pairs:
            break
    return np.concatenate(rows), np.concatenate(found)


def _folds(labels, folds, seed):
    folds = max(2, min(folds, len(labels) // 2))
    # Every class in every fold, where it has enough images for that.
    whole = np.bincount(labels).max() >= folds
    kind = StratifiedKFold if whole else KFold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, of small classes
        return list(kind(folds, shuffle=True, random_state=seed).split(labels, labels))
