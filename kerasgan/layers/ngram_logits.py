"""A linear model on TF-IDF features of n-grams, as a layer that takes strings."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasgan.layers.registration import register
from kerasgan.layers.string_ngrams import (
    NUL,
    NUL_REPLACEMENT,
    char_ngrams,
    lowercase,
    word_ngrams,
)

ANALYZERS = ("word", "char_wb")


@register
class NgramLogits(keras.layers.Layer):
    """Multiplies the TF-IDF vectors of texts by coefficients.

    It computes the same as scikit-learn's `TfidfVectorizer` followed by the
    `decision_function` of `LogisticRegression`
    (https://scikit-learn.org/stable/modules/feature_extraction): counts `tf` of
    lower-case n-grams (or `1 + log(tf)`) times `idf`, normalized to Euclidean length 1,
    times coefficients, plus intercepts. A text without known n-grams gets the
    intercepts. `from_sklearn` copies a fitted model.

    No tensor has as many elements as texts times n-grams. The n-grams are saved with
    the weights in `.keras` and `.weights.h5`, and as a table in a SavedModel.

    Differences from scikit-learn: invalid UTF-8 is read as U+FFFD, NUL as U+FDD0, and
    TensorFlow's tables of Unicode are not Python's. TensorFlow 2.21 does not lower-case
    40 capitals of Unicode 14 (U+2C2F, Vithkuqi), ignores marks of that version when it
    looks for the last sigma of a word, and knows letters newer than Python 3.11.
    Everything else is the same: İ, ẞ, the last sigma of a word.

    Input: strings `(n,)`. Output: logits `(n, classes)`, float32.

    Args:
        classes: number of classes.
        size: number of n-grams.
        analyzer: `"word"`: sequences of words of at least two letters, digits or
            underscores, joined by a space; or `"char_wb"`: sequences of characters of a
            word with a space before and after it.
        ngram_range: minimum and maximum number of words, or characters, of an n-gram.
        sublinear_tf: whether `tf` is replaced by `1 + log(tf)`.

    Raises:
        ValueError: an unknown `analyzer`, an invalid range, or no n-grams.
    """

    def __init__(
        self,
        classes: int,
        size: int,
        analyzer: str = "word",
        ngram_range: tuple[int, int] = (1, 2),
        sublinear_tf: bool = False,
        **kwargs: Any,
    ):
        kwargs.setdefault("dtype", "float32")  # bfloat16 would lose digits
        super().__init__(**kwargs)
        _check(classes, size, analyzer, ngram_range)
        self.classes = classes
        self.size = size
        self.analyzer = analyzer
        self.ngram_range = tuple(ngram_range)
        self.sublinear_tf = sublinear_tf
        self.supports_jit = False  # XLA does not support strings
        self._ngrams = self._table = None

    @classmethod
    def from_sklearn(
        cls, vectorizer: Any, regression: Any, **kwargs: Any
    ) -> "NgramLogits":
        """Copies a fitted vectorizer and a linear classifier.

        Args:
            vectorizer: a fitted `TfidfVectorizer` with `analyzer` `"word"` or
                `"char_wb"`, any `ngram_range`, `sublinear_tf` and `dtype`, and defaults
                otherwise.
            regression: a fitted `LogisticRegression`, or another classifier with
                `coef_` and `intercept_`. A single row of coefficients makes two
                classes: the logit of the first is 0, that of the second the
                `decision_function`.
            **kwargs: of `keras.layers.Layer`.

        Returns:
            A layer with the same n-grams and coefficients.

        Raises:
            ValueError: the vectorizer has other options, or the two were not fitted
                together.
        """
        _check_vectorizer(vectorizer)
        ngrams = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.get)
        coefficients = np.atleast_2d(regression.coef_)
        intercepts = np.broadcast_to(regression.intercept_, len(coefficients))
        if len(coefficients) == 1:
            coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
            intercepts = np.concatenate([np.zeros_like(intercepts), intercepts])
        layer = cls(
            len(coefficients),
            len(ngrams),
            vectorizer.analyzer,
            vectorizer.ngram_range,
            vectorizer.sublinear_tf,
            **kwargs,
        )
        ngrams = [ngram.replace(NUL, NUL_REPLACEMENT) for ngram in ngrams]
        layer.set_ngrams(ngrams, vectorizer.idf_, coefficients.T, intercepts)
        return layer

    def set_ngrams(
        self,
        ngrams: Sequence[str],
        idf: np.ndarray,
        coefficients: np.ndarray,
        intercepts: np.ndarray,
    ) -> None:
        """Sets the n-grams and their weights.

        A `tf.function` that was traced before keeps the earlier n-grams.

        Args:
            ngrams: `size` different lower-case strings without line breaks.
            idf: floats `(size,)`.
            coefficients: floats `(size, classes)`.
            intercepts: floats `(classes,)`.

        Raises:
            ValueError: a shape, the number of n-grams or an n-gram is invalid.
        """
        self._build_table(ngrams)
        if not self.built:
            self.build((None,))
        self.idf.assign(idf)
        self.coefficients.assign(coefficients)
        self.intercepts.assign(intercepts)

    def get_ngrams(self) -> list[str] | None:  # a property would be walked by saving
        """Returns the n-grams in the order of the coefficients, or None."""
        return None if self._ngrams is None else self._ngrams.tolist()

    def build(self, input_shape):
        """Creates idf, coefficients and intercepts."""
        self.idf = self.add_weight(
            name="idf", shape=(self.size,), initializer="ones", trainable=False
        )
        self.coefficients = self.add_weight(
            name="coefficients", shape=(self.size, self.classes), initializer="zeros"
        )
        self.intercepts = self.add_weight(
            name="intercepts", shape=(self.classes,), initializer="zeros"
        )

    def call(self, texts):
        """Computes the logits of a batch."""
        if self._table is None:
            raise ValueError(
                f"Layer {self.name} has no n-grams. Call `set_ngrams` first."
            )
        texts = tf.reshape(texts, [-1])
        rows, ids, counts = self._counts(*self._split(lowercase(texts)))
        if self.sublinear_tf:
            counts = 1 + tf.math.log(counts)
        values = counts * tf.gather(tf.convert_to_tensor(self.idf), ids)
        number = tf.size(texts, out_type=tf.int64)
        squares = tf.math.unsorted_segment_sum(values**2, rows, number)
        values = values / tf.gather(tf.sqrt(squares), rows)
        # A sum of rows of the coefficients, without gathering them all.
        places = tf.stack([rows, ids], axis=1)
        tfidf = tf.SparseTensor(places, values, [number, self.size])
        coefficients = tf.convert_to_tensor(self.coefficients)
        return tf.sparse.sparse_dense_matmul(tfidf, coefficients) + self.intercepts

    def _split(self, texts):
        ngrams_of = word_ngrams if self.analyzer == "word" else char_ngrams
        return ngrams_of(texts, self.ngram_range)

    def _counts(self, ngrams, rows):
        """The known n-grams of each text: rows of texts, ids of n-grams, counts."""
        ids = self._table.lookup(ngrams)
        known = ids >= 0
        rows, ids = tf.boolean_mask(rows, known), tf.boolean_mask(ids, known)
        places, _, counts = tf.unique_with_counts(rows * self.size + ids)
        rows, ids = places // self.size, places % self.size
        return rows, ids, tf.cast(counts, self.compute_dtype)

    def _build_table(self, ngrams):
        """Builds the table from n-grams to rows of the coefficients."""
        distinct = len(set(ngrams))
        if not len(ngrams) == distinct == self.size:
            raise ValueError(
                f"ngrams must be {self.size} different strings. Received:"
                f" {len(ngrams)}, {distinct} of them different"
            )
        if "\n" in "".join(ngrams):
            raise ValueError("n-grams must not contain line breaks.")
        with tf.init_scope():
            keys = tf.constant(ngrams, tf.string)
            initializer = tf.lookup.KeyValueTensorInitializer(
                keys, tf.range(self.size, dtype=tf.int64)
            )
            self._table = tf.lookup.StaticHashTable(initializer, default_value=-1)
        # An array: Keras and TensorFlow would track every element of a list.
        self._ngrams = np.array(ngrams, dtype=object)

    def save_own_variables(self, store):
        """Saves the weights, and the n-grams as lines of UTF-8."""
        store["idf"] = np.asarray(self.idf)
        store["coefficients"] = np.asarray(self.coefficients)
        store["intercepts"] = np.asarray(self.intercepts)
        if self._ngrams is not None:
            lines = "\n".join(self._ngrams).encode()
            store["ngrams"] = np.frombuffer(lines, np.uint8)

    def load_own_variables(self, store):
        """Loads what `save_own_variables` saved."""
        self.idf.assign(store["idf"])
        self.coefficients.assign(store["coefficients"])
        self.intercepts.assign(store["intercepts"])
        if "ngrams" in store:
            self._build_table(
                np.asarray(store["ngrams"]).tobytes().decode().split("\n")
            )

    def compute_output_shape(self, input_shape):
        """Returns `(n, classes)`."""
        return (input_shape[0], self.classes)

    def get_config(self):
        """Returns the arguments of `__init__`."""
        config = super().get_config()
        config.update(
            classes=self.classes,
            size=self.size,
            analyzer=self.analyzer,
            ngram_range=self.ngram_range,
            sublinear_tf=self.sublinear_tf,
        )
        return config


def _check(classes, size, analyzer, ngram_range):
    if analyzer not in ANALYZERS:
        raise ValueError(f"analyzer must be one of {ANALYZERS}. Received: {analyzer!r}")
    if not 1 <= ngram_range[0] <= ngram_range[1]:
        raise ValueError(f"ngram_range must be (n, m ≥ n). Received: {ngram_range}")
    if min(classes, size) < 1:
        raise ValueError(
            f"classes and size must be > 0. Received: classes={classes}, size={size}"
        )


def _check_vectorizer(vectorizer):
    expected = {
        "analyzer": ANALYZERS,
        "lowercase": (True,),
        "strip_accents": (None,),
        "preprocessor": (None,),
        "tokenizer": (None,),
        "norm": ("l2",),
        "use_idf": (True,),
        "binary": (False,),
    }
    if vectorizer.analyzer == "word":  # neither applies to characters
        expected |= {"stop_words": (None,), "token_pattern": (r"(?u)\b\w\w+\b",)}
    for name, values in expected.items():
        value = getattr(vectorizer, name)
        if value not in values:
            raise ValueError(
                f"NgramLogits needs {name} {' or '.join(map(repr, values))}."
                f" Received: {name}={value!r}"
            )
