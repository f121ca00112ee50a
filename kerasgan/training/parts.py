"""Ours: parts that are trained alone, each to its own stopping point, then pooled.

Branches that are trained under one head drown each other: the one that learns sooner
takes the gradient from the other, and one number of epochs suits neither (Wang et al.
2020, "What Makes Training Multi-modal Classification Networks Hard?",
https://arxiv.org/abs/1905.12681). Here each part is trained alone; how much each is
believed is fitted on pairs that it was not trained on.
"""

import warnings
from dataclasses import dataclass

import keras
import numpy as np
from scipy import sparse, special
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold

from kerasgan.models.classifier import LEAST, build_average
from kerasgan.models.ngrams import NgramLogits
from kerasgan.training.fitting import Best, Held, Trainer
from kerasgan.training.pooling import fit_weights

ANALYZERS = {
    "words": {"analyzer": "word", "ngram_range": (1, 2)},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
WEIGHTS = {"sublinear_tf": True, "dtype": np.float32}
BALANCE = 2.0  # length of a picture's features where those of a text are of length 1
REGRESSION = {"C": 10.0, "tol": 1e-3, "max_iter": 1000}


class Tfidf(TfidfVectorizer):
    """scikit-learn's, which besides takes texts that have no n-gram between them."""

    def fit(self, texts, y=None):
        self.fit_transform(texts)
        return self

    def fit_transform(self, texts, y=None):
        try:
            return super().fit_transform(texts)
        except ValueError:  # "empty vocabulary": signs alone, or words of one letter
            # No training text has these n-grams, so that their weights stay zero.
            super().fit_transform(["nothing"])
            return self.transform(texts)


class NetworkPart:
    """A network of `build_classifier`, trained for as many epochs as suit it.

    What was trained for the weights of the pool is not thrown away: those networks and
    the last, trained on all rows, answer together (bagging; Breiman 1996, "Bagging
    predictors").

    Args:
        modality: `"picture"`, `"text"`, or `"pair"`, which needs both.
        network: the network.
        settings: a `kerasgan.config.ClassifierConfig`.
        callbacks: Keras callbacks.
    """

    def __init__(self, modality, network, settings, callbacks=()):
        self.modality, self.settings = modality, settings
        self.trainer, self.callbacks = Trainer(network, settings), callbacks
        self.best = []  # number of epochs for each fold
        self.members = []  # weights

    def outside(self, examples, fitted, held):
        """Trains on some rows; log-probabilities of the others."""
        epochs, patience = self.settings.epochs, self.settings.patience
        watch = Held(self.trainer, examples[held], patience or epochs)
        best = Best(watch)
        self.trainer.fit(examples, fitted, epochs, watch, [best, *self.callbacks])
        self.best.append(watch.best)
        self.members.append(best.weights)
        return watch.found[watch.best - 1]

    def refit(self, examples):
        """Trains on all rows."""
        epochs, rows = max(1, round(np.median(self.best))), np.arange(len(examples))
        self.trainer.fit(examples, rows, epochs, None, self.callbacks)
        self.members.append(self.trainer.network.get_weights())

    def log_probabilities(self, examples):
        """Of `Examples`, `(n, classes)`."""
        said = []
        for weights in self.members:
            self.trainer.network.set_weights(weights)
            said.append(self.trainer.log_probabilities(examples))
        return special.log_softmax(np.mean(said, axis=0), axis=1)

    def logits(self, sides):
        """The same inside a graph.

        Args:
            sides: tensors by name: `"picture"`, `"token_ids"`, `"text"`.

        Returns:
            A tensor `(n, classes)`.
        """
        network = build_average(self.trainer.network, self.members)
        return network({name: sides[name] for name in network.input})


class LinearPart:
    """TF-IDF of n-grams and logistic regression, which networks that read words often
    do not surpass; or of n-grams and features of pictures side by side, which networks
    that learn from few pairs seldom do.

    Args:
        modality: `"text"`, or `"pair"`, which needs pictures' features.
        name: of its layers.
        analyzers: keys of `ANALYZERS`.
        classes: how many.
    """

    def __init__(self, modality, name, analyzers, classes):
        self.modality, self.name = modality, name
        self.analyzers, self.classes = analyzers, classes

    def outside(self, examples, fitted, held):
        """As `NetworkPart.outside`."""
        self._fit(examples[fitted])
        return self.log_probabilities(examples[held])

    def refit(self, examples):
        """As `NetworkPart.refit`."""
        self._fit(examples)

    def _fit(self, examples):
        texts = [own or [""] for own in examples.texts]
        rows = np.repeat(np.arange(len(texts)), [len(own) for own in texts])
        texts = [text for own in texts for text in own]
        self.vectorizers = [
            Tfidf(**WEIGHTS, **ANALYZERS[name]).fit(texts) for name in self.analyzers
        ]
        if self._looks:
            spread = examples.pictures.std(axis=0) + 1e-6
            self.scale = BALANCE / (spread * np.sqrt(spread.size))
            self.mean = examples.pictures.mean(axis=0)
        vectors, labels = self._vectors(texts, examples, rows), examples.labels[rows]
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

    @property
    def _looks(self):
        return self.modality == "pair"

    def _vectors(self, texts, examples, rows=slice(None)):
        vectors = [vectorizer.transform(texts) for vectorizer in self.vectorizers]
        if self._looks:
            pictures = (examples.pictures[rows] - self.mean) * self.scale
            vectors.append(sparse.csr_matrix(pictures.astype(np.float32)))
        return sparse.hstack(vectors, format="csr")

    def log_probabilities(self, examples):
        """As `NetworkPart.log_probabilities`."""
        vectors = self._vectors(examples.first_texts, examples)
        return special.log_softmax(vectors @ self.kernel + self.bias, axis=1)

    def logits(self, sides):
        """As `NetworkPart.logits`."""
        kernel, bias, found = self.kernel, self.bias, []
        for name, known in zip(self.analyzers, self.vectorizers):
            layer = NgramLogits(
                self.classes,
                len(known.idf_),
                known.analyzer,
                known.ngram_range,
                known.sublinear_tf,
                name=f"{self.name}_{name}",
            )
            ngrams = sorted(known.vocabulary_, key=known.vocabulary_.get)
            layer.fill(ngrams, known.idf_, kernel[: len(ngrams)], bias)
            found.append(layer(sides["text"]))
            kernel, bias = kernel[len(ngrams) :], np.zeros_like(bias)
        if self._looks:
            kernel = kernel * self.scale[:, None]
            dense = keras.layers.Dense(self.classes, name=f"{self.name}_picture")
            dense.build((None, len(kernel)))
            dense.set_weights([kernel, -self.mean @ kernel])
            found.append(dense(sides["picture"]))
        return sum(found)


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
    read = examples.has_text[rows]
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
