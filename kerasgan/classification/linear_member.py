"""Ensemble members that are linear in TF-IDF features of n-grams, or in an image's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from kerasgan.classification.ensemble_member import EnsembleMember
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.scores import to_scores
from kerasgan.layers.log_linear_ensemble import MIN_LOG_PROBABILITY
from kerasgan.layers.ngram_logits import NgramLogits

ANALYZERS = {  # arguments of TfidfVectorizer
    "words": {"analyzer": "word", "ngram_range": (1, 2)},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
TFIDF_OPTIONS = {"sublinear_tf": True, "dtype": np.float32}
IMAGE_NORM = 2.0  # norm of an image's features; those of a text have norm 1


class TolerantTfidfVectorizer(TfidfVectorizer):
    """scikit-learn's `TfidfVectorizer` that also accepts texts without any n-gram."""

    def fit(
        self, raw_documents: Iterable[str], y: Any = None
    ) -> "TolerantTfidfVectorizer":
        """Learns vocabulary and weights, see `TfidfVectorizer.fit`."""
        self.fit_transform(raw_documents)
        return self

    def fit_transform(
        self, raw_documents: Iterable[str], y: Any = None
    ) -> sparse.csr_matrix:
        """Learns and transforms, see `TfidfVectorizer.fit_transform`."""
        try:
            return super().fit_transform(raw_documents)
        except ValueError:  # "empty vocabulary": only punctuation or one-letter words
            # No training text has the n-grams of this word: their weights stay zero.
            super().fit_transform(["nothing"])
            return self.transform(raw_documents)


def build_regression(balance: bool = False) -> LogisticRegression:
    """Builds the logistic regression on TF-IDF features and features of images.

    Args:
        balance: whether classes count the same, however frequent they are.
    """
    class_weight = "balanced" if balance else None
    return LogisticRegression(
        C=10.0, tol=1e-3, max_iter=1000, class_weight=class_weight
    )


class LinearMember(EnsembleMember):
    """Logistic regression on TF-IDF features of n-grams, or on features of images.

    With modality `"pair"`, the features of a frozen image encoder are appended to those
    of the n-grams; with `"image"`, they are all that is used, as in a linear probe
    (Alain & Bengio 2016, https://arxiv.org/abs/1610.01644). With few training pairs,
    neural networks are seldom better. If a pair has several labels, each class has a
    regression that separates it from the rest.

    Args:
        modality: `"text"`, or `"pair"` or `"image"`, which need features of images.
        name: prefix of the names of its layers.
        analyzers: keys of `ANALYZERS`; none for `"image"`.
        num_classes: number of classes.
        multi_label: whether a pair has any number of labels.
        balance: whether all classes count the same, however frequent they are; not with
            `multi_label`.
    """

    def __init__(
        self,
        modality: str,
        name: str,
        analyzers: Sequence[str],
        num_classes: int,
        multi_label: bool = False,
        balance: bool = False,
    ):
        self.modality, self.name, self.balance = modality, name, balance
        self.analyzers, self.num_classes = analyzers, num_classes
        self.multi_label = multi_label

    def predict_held_out(
        self,
        examples: PairExamples,
        train_rows: Sequence[int] | np.ndarray,
        validation_rows: Sequence[int] | np.ndarray,
    ) -> np.ndarray:
        """See `EnsembleMember`."""
        self.refit(examples[train_rows])
        return self.predict_log_proba(examples[validation_rows])

    def refit(self, examples: PairExamples) -> None:
        """Trains on all captions of all examples, or on each image."""
        captions = [texts or [""] for texts in examples.texts]
        if not self.analyzers:  # an image counts once, whatever the number of its texts
            captions = [texts[:1] for texts in captions]
        rows = np.repeat(np.arange(len(captions)), [len(texts) for texts in captions])
        texts = [text for texts in captions for text in texts]
        self.vectorizers = [
            TolerantTfidfVectorizer(**TFIDF_OPTIONS, **ANALYZERS[name]).fit(texts)
            for name in self.analyzers
        ]
        if self._uses_images:
            self._fit_scale(examples.images)
        fit = self._fit_one_vs_rest if self.multi_label else self._fit_regression
        fit(self._features(texts, examples, rows), examples.labels[rows])

    def _fit_scale(self, features):
        deviation = features.std(axis=0) + 1e-6
        scale = IMAGE_NORM / (deviation * np.sqrt(deviation.size))
        self.scale = scale.astype(np.float32)
        self.mean = features.mean(axis=0)

    def _fit_regression(self, features, labels):
        """Fits the kernel and the bias; classes that do not occur stay unlikely."""
        self.kernel = np.zeros((features.shape[1], self.num_classes))
        self.bias = np.full(self.num_classes, MIN_LOG_PROBABILITY)
        classes = np.unique(labels)
        if len(classes) == 1:
            self.bias[classes] = 0.0
            return
        regression = build_regression(self.balance).fit(features, labels)
        if len(classes) == 2:  # scikit-learn has coefficients of the second class only
            self.bias[classes[0]] = 0.0
            classes = classes[1:]
        self.kernel[:, classes] = regression.coef_.T
        self.bias[classes] = regression.intercept_

    def _fit_one_vs_rest(self, features, labels):
        """Fits each class; one that all examples or none have gets its share."""
        self.kernel = np.zeros((features.shape[1], self.num_classes))
        counts = labels.sum(axis=0, dtype=np.int64)
        self.bias = np.log((counts + 0.5) / (len(labels) - counts + 0.5))
        for label in np.flatnonzero((counts > 0) & (counts < len(labels))):
            regression = build_regression().fit(features, labels[:, label])
            self.kernel[:, label] = regression.coef_[0]
            self.bias[label] = regression.intercept_[0]

    @property
    def _uses_images(self):
        return self.modality != "text"

    def _features(self, texts, examples, rows=slice(None)):
        features = [vectorizer.transform(texts) for vectorizer in self.vectorizers]
        if self._uses_images:
            images = (examples.images[rows] - self.mean) * self.scale
            images = images.astype(np.float32)
            if not features:
                return images
            features.append(sparse.csr_matrix(images))
        return sparse.hstack(features, format="csr")

    def predict_log_proba(self, examples: PairExamples) -> np.ndarray:
        """See `EnsembleMember`."""
        features = self._features(examples.first_texts, examples)
        return to_scores(features @ self.kernel + self.bias, self.multi_label)

    def logits(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `EnsembleMember`."""
        kernel, bias, logits = self.kernel, self.bias, []
        for name, vectorizer in zip(self.analyzers, self.vectorizers, strict=True):
            layer = NgramLogits(
                self.num_classes,
                len(vectorizer.idf_),
                vectorizer.analyzer,
                vectorizer.ngram_range,
                vectorizer.sublinear_tf,
                name=f"{self.name}_{name}",
            )
            ngrams = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.get)
            layer.set_ngrams(ngrams, vectorizer.idf_, kernel[: len(ngrams)], bias)
            logits.append(layer(inputs["text"]))
            kernel, bias = kernel[len(ngrams) :], np.zeros_like(bias)
        if self._uses_images:
            kernel = kernel * self.scale[:, None]
            dense = keras.layers.Dense(self.num_classes, name=f"{self.name}_image")
            dense.build((None, len(kernel)))
            dense.set_weights([kernel, bias - self.mean @ kernel])
            logits.append(dense(inputs["image"]))
        return sum(logits)
