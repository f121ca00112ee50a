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
from scipy import special
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold

from kerasgan.models.classifier import LEAST
from kerasgan.models.ngrams import NgramLogits
from kerasgan.training.fitting import Held, fit, log_probabilities
from kerasgan.training.pooling import fit_weights

ANALYZERS = {
    "words": {"analyzer": "word", "ngram_range": (1, 2)},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
REGRESSION = {"C": 10.0, "tol": 1e-3, "max_iter": 1000}


class NetworkPart:
    """A network of `build_classifier`, trained for as many epochs as suit it.

    Args:
        modality: `"picture"`, `"text"`, or `"pair"`, which needs both.
        build: makes a new network.
        settings: a `kerasgan.config.ClassifierConfig`.
    """

    def __init__(self, modality, build, settings, callbacks=()):
        self.modality, self.build, self.settings = modality, build, settings
        self.callbacks = list(callbacks)
        self.best = []  # number of epochs for each fold

    def outside(self, examples, fitted, held):
        """Trains on some rows; log-probabilities of the others."""
        watch = Held(examples[held], self.settings.patience or self.settings.epochs)
        network, epochs = self.build(), self.settings.epochs
        fit(network, self.settings, examples, fitted, epochs, watch, self.callbacks)
        self.best.append(watch.best)
        return watch.found[watch.best - 1]

    def refit(self, examples):
        """Trains on all rows; afterwards `network` is there."""
        epochs, rows = max(1, round(np.median(self.best))), np.arange(len(examples))
        self.network = self.build()
        fit(self.network, self.settings, examples, rows, epochs, None, self.callbacks)

    def log_probabilities(self, examples):
        return log_probabilities(self.network, examples)

    def layer(self):
        return self.network


class NgramPart:
    """TF-IDF of n-grams and logistic regression, which networks that read words often
    do not surpass.

    Args:
        analyzer: a key of `ANALYZERS`.
        classes: how many.
    """

    modality = "text"

    def __init__(self, analyzer, classes):
        self.name, self.classes = analyzer, classes

    def outside(self, examples, fitted, held):
        """As `NetworkPart.outside`."""
        self._fit(examples[fitted])
        return self.log_probabilities(examples[held])

    def refit(self, examples):
        """As `NetworkPart.refit`."""
        self._fit(examples)

    def _fit(self, examples):
        counts = [max(1, len(texts)) for texts in examples.texts]
        texts = [text for own in examples.texts for text in own or [""]]
        labels = np.repeat(examples.labels, counts)
        self.vectorizer = TfidfVectorizer(sublinear_tf=True, **ANALYZERS[self.name])
        vectors = self.vectorizer.fit_transform(texts)
        self.kernel = np.zeros((vectors.shape[1], self.classes))
        self.bias = np.full(self.classes, LEAST)
        met = np.unique(labels)
        if len(met) == 1:
            self.bias[met] = 0.0
            return
        found = LogisticRegression(**REGRESSION).fit(vectors, labels)
        if len(met) == 2:  # scikit-learn keeps the second class alone
            met = met[1:]
            self.bias[found.classes_[0]] = 0.0
        self.kernel[:, met] = found.coef_.T
        self.bias[met] = found.intercept_

    def log_probabilities(self, examples):
        """As `NetworkPart.log_probabilities`."""
        vectors = self.vectorizer.transform(examples.first_texts)
        return special.log_softmax(vectors @ self.kernel + self.bias, axis=1)

    def layer(self):
        """The same inside a graph: strings `(n,)` to logits `(n, classes)`."""
        known = self.vectorizer
        layer = NgramLogits(
            self.classes,
            len(known.idf_),
            known.analyzer,
            known.ngram_range,
            known.sublinear_tf,
            name=self.name,
        )
        ngrams = sorted(known.vocabulary_, key=known.vocabulary_.get)
        layer.fill(ngrams, known.idf_, self.kernel, self.bias)
        return layer


@dataclass
class Pool:
    """Parts, and `weights` `(3, parts)`: for a pair, a picture alone, a text alone."""

    parts: dict
    weights: np.ndarray
    prior: np.ndarray


def fit_pool(parts, examples, settings, seed=0):
    """Trains the parts and weighs them.

    Args:
        parts: name to part.
        examples: `Examples` with labels and token ids.
        settings: a `kerasgan.config.ClassifierConfig`.

    Returns:
        A `Pool` whose parts are trained on all examples.
    """
    rows, outside = _outside(parts, examples, settings, seed)
    labels = examples.labels[rows]
    read = np.array([bool(examples.texts[row]) for row in rows])
    kinds = np.array([part.modality for part in parts.values()])
    weights = np.zeros((3, len(parts)))
    for row, (kept, known) in enumerate(
        (
            (kinds != "", read),
            (kinds == "picture", np.ones_like(read)),
            (kinds == "text", read),
        )
    ):
        if kept.any():
            weights[row, kept] = fit_weights(outside[known][:, kept], labels[known])
    for part in parts.values():
        part.refit(examples)
    prior = np.bincount(examples.labels, minlength=outside.shape[2]) / len(examples)
    return Pool(parts, weights, prior)


def _outside(parts, examples, settings, seed):
    """Rows, and their log-probabilities `(n, parts, classes)` by parts that were not
    trained on them: fold after fold until there are enough to fit the weights."""
    rows, found = [], []
    for fitted, held in _folds(examples.labels, settings.folds, seed):
        said = [part.outside(examples, fitted, held) for part in parts.values()]
        rows.append(held)
        found.append(np.maximum(np.stack(said, axis=1), LEAST))
        if sum(map(len, rows)) >= settings.pool_rows:
            break
    return np.concatenate(rows), np.concatenate(found)


def _folds(labels, folds, seed):
    folds = max(2, min(folds, len(labels) // 2))
    # Every class in every fold, where it has enough pictures for that.
    whole = np.bincount(labels).max() >= folds
    kind = StratifiedKFold if whole else KFold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, of small classes
        return list(kind(folds, shuffle=True, random_state=seed).split(labels, labels))
