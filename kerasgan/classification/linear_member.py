"""Ensemble members that are linear in TF-IDF n-grams."""

import keras
import numpy as np
from scipy import sparse, special
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from kerasgan.layers.log_linear_ensemble import MIN_LOG_PROBABILITY
from kerasgan.layers.ngram_logits import NgramLogits

ANALYZERS = {
    "words": {"analyzer": "word", "ngram_range": (1, 2)},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
TFIDF_OPTIONS = {"sublinear_tf": True, "dtype": np.float32}
IMAGE_NORM = 2.0  # length of an image's features where those of a text are of length 1
REGRESSION_OPTIONS = {"C": 10.0, "tol": 1e-3, "max_iter": 1000}


class TolerantTfidfVectorizer(TfidfVectorizer):
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


class LinearMember:
    """TF-IDF of n-grams and logistic regression, which networks that read words often
    do not surpass; or of n-grams and features of images side by side, which networks
    that learn from few pairs seldom do.

    Args:
        modality: `"text"`, or `"pair"`, which needs images' features.
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
            TolerantTfidfVectorizer(**TFIDF_OPTIONS, **ANALYZERS[name]).fit(texts)
            for name in self.analyzers
        ]
        if self._looks:
            spread = examples.images.std(axis=0) + 1e-6
            self.scale = IMAGE_NORM / (spread * np.sqrt(spread.size))
            self.mean = examples.images.mean(axis=0)
        vectors, labels = self._vectors(texts, examples, rows), examples.labels[rows]
        self.kernel = np.zeros((vectors.shape[1], self.classes))
        self.bias = np.full(self.classes, MIN_LOG_PROBABILITY)
        met = np.unique(labels)
        if len(met) == 1:
            self.bias[met] = 0.0
            return
        found = LogisticRegression(**REGRESSION_OPTIONS).fit(vectors, labels)
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
            images = (examples.images[rows] - self.mean) * self.scale
            vectors.append(sparse.csr_matrix(images.astype(np.float32)))
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
            dense = keras.layers.Dense(self.classes, name=f"{self.name}_image")
            dense.build((None, len(kernel)))
            dense.set_weights([kernel, -self.mean @ kernel])
            found.append(dense(sides["image"]))
        return sum(found)
