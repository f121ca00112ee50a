"""An ensemble of members that are trained separately and weighted afterwards.

Branches that are trained under one head interfere: the branch that learns faster
dominates the gradient, and no number of epochs suits both (Wang et al. 2020, "What
Makes Training Multi-modal Classification Networks Hard?",
https://arxiv.org/abs/1905.12681). Here each member is trained alone, and the weights of
the members are fitted on predictions for examples that they were not trained on.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from kerasgan.classification.ensemble_member import EnsembleMember
from kerasgan.classification.ensemble_weights import fit_ensemble_weights
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.scores import class_counts, to_probabilities
from kerasgan.classification.thresholds import choose_thresholds
from kerasgan.config.settings import ClassifierConfig
from kerasgan.data.groups import require_several_groups
from kerasgan.layers.log_linear_ensemble import MAX_LOG_ODDS, MIN_LOG_PROBABILITY


@dataclass
class Ensemble:
    """Members and their weights, the arguments of `layers.LogLinearEnsemble`.

    Attributes:
        members: the members by name.
        weights: `(3, members)`: for an image with a text, only an image, only a text.
        prior: `(classes,)`, the shares of the classes in the training data; of balanced
            members, equal shares.
        thresholds: see `choose_thresholds`; None if a pair has one label.
    """

    members: Mapping[str, EnsembleMember]
    weights: np.ndarray
    prior: np.ndarray
    thresholds: np.ndarray | None = None


def fit_ensemble(
    members: Mapping[str, EnsembleMember],
    examples: PairExamples,
    config: ClassifierConfig,
    seed: int = 0,
) -> Ensemble:
    """Trains the members and fits their weights.

    Args:
        members: the members by name.
        examples: with `token_ids` and `labels`.
        config: `folds`, `ensemble_pairs`, `balance`, `multi_label` and `threshold`.
        seed: seed of the folds.

    Returns:
        An `Ensemble` whose members are trained on all examples.

    Raises:
        UserError: all examples are of one group.
    """
    rows, predictions = _predict_out_of_fold(members, examples, config, seed)
    sample_weight = np.ones(len(examples))
    if config.balance:
        sample_weight = examples.balanced_weight
    labels, has_text = examples.labels[rows], examples.has_text[rows]
    modalities = np.array([member.modality for member in members.values()])
    weights = np.zeros((3, len(members)))
    cases = (  # members and examples that count
        (modalities != "", has_text),
        (modalities == "image", np.ones_like(has_text)),
        (modalities == "text", has_text),
    )
    for row, (is_used, is_complete) in enumerate(cases):
        if is_used.any():
            weights[row, is_used] = fit_ensemble_weights(
                predictions[is_complete][:, is_used],
                labels[is_complete],
                sample_weight[rows][is_complete],
            )
    for member in members.values():
        member.refit(examples)
    prior = class_counts(examples.labels, predictions.shape[2]) / len(examples)
    if config.balance:
        prior = np.bincount(examples.labels, sample_weight, len(prior)) / len(examples)
    thresholds = None
    if config.multi_label:
        thresholds = _fit_thresholds(
            config.threshold, predictions, labels, weights, modalities, has_text
        )
    return Ensemble(members, weights, prior, thresholds)


def _fit_thresholds(threshold, predictions, labels, weights, modalities, has_text):
    """Chooses thresholds for the out-of-fold predictions of the whole ensemble."""
    case = np.full(len(labels), 2)
    if "image" in modalities:
        case = np.where(has_text & ("text" in modalities), 0, 1)
    logits = np.einsum("nmc,nm->nc", predictions, weights[case])
    probabilities = to_probabilities(logits, multi_label=True)
    return choose_thresholds(threshold, probabilities, labels)


def _predict_out_of_fold(members, examples, config, seed):
    """Predicts examples by members that were not trained on them.

    Stops after the fold with which there are `config.ensemble_pairs` predictions.

    Returns:
        Rows, and the predictions `(n, members, classes)`, see `predict_held_out`.
    """
    folds = _folds(examples.labels, examples.groups, config.folds, seed)
    rows, predictions = [], []
    for train_rows, validation_rows in folds:
        fold = [
            member.predict_held_out(examples, train_rows, validation_rows)
            for member in members.values()
        ]
        rows.append(validation_rows)
        scores = np.stack(fold, axis=1)
        predictions.append(np.clip(scores, MIN_LOG_PROBABILITY, MAX_LOG_ODDS))
        if sum(map(len, rows)) >= config.ensemble_pairs:
            break
    return np.concatenate(rows), np.concatenate(predictions)


def _folds(labels, groups, num_folds, seed):
    """Divides groups into folds; returns the rows to train on and those to predict."""
    require_several_groups(groups)
    _, first_rows, groups = np.unique(groups, return_index=True, return_inverse=True)
    labels = labels[first_rows]
    num_folds = max(2, min(num_folds, len(labels) // 2))
    # Stratified, unless a pair has several labels, or every class has fewer groups
    # than there are folds.
    can_stratify = labels.ndim == 1 and np.bincount(labels).max() >= num_folds
    splitter = StratifiedKFold if can_stratify else KFold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's warning about small classes
        folds = splitter(num_folds, shuffle=True, random_state=seed)
        group_folds = list(folds.split(labels, labels))
    return [
        [np.flatnonzero(np.isin(groups, part)) for part in parts]
        for parts in group_folds
    ]
