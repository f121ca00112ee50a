"""A linear model on the TF-IDF of n-grams, in the graph, from strings to logits."""

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
    """TF-IDF of n-grams times coefficients: strings `(n,)` to logits `(n, classes)`.

    The same as scikit-learn's `TfidfVectorizer` and the `decision_function` of its
    `LogisticRegression` (https://scikit-learn.org/stable/modules/feature_extraction):
    lower-case n-grams, counts `tf` (or `1 + log(tf)`) times `idf`, rows of Euclidean
    length 1, times coefficients, plus intercepts, which are all that a text without
    known n-grams gets. `from_sklearn` copies a fitted model.

    Nothing in it is as large as texts times n-grams. The n-grams travel with the
    weights, in `.keras`, in `.weights.h5` and, as a table, in a SavedModel.

    Where it differs from scikit-learn: what is no UTF-8 is read as U+FFFD, U+FDD0
    stands for NUL, and TensorFlow's table of Unicode is not Python's. TensorFlow 2.21
    leaves 40 capitals as they are that came with Unicode 14 (U+2C2F, Vithkuqi), does
    not look past marks of that age for a word's last sigma, and knows letters younger
    than Python 3.11. All else is the same: İ, ẞ, the last sigma of a word.

    Input: a string tensor `(n,)`. Output: float32 `(n, classes)`, without bounds;
    `softmax` makes probabilities of them.

    Args:
        classes: number of classes.
        size: number of n-grams.
        analyzer: `"word"`, neighbouring words of at least two letters, digits or
            underscores, joined by a space; or `"char_wb"`, neighbouring characters of
            a word that has a space before and after it.
        ngram_range: least and most words, or characters, of an n-gram.
        sublinear_tf: `1 + log(tf)` for the count `tf`.

    Raises:
        ValueError: an unknown `analyzer`, a range that is none, or no n-gram.
    """

    def __init__(
        self,
        classes,
        size,
        analyzer="word",
        ngram_range=(1, 2),
        sublinear_tf=False,
        **kwargs,
    ):
        kwargs.setdefault("dtype", "float32")  # half of it would cost decimals
        super().__init__(**kwargs)
        _check(classes, size, analyzer, ngram_range)
        self.classes = classes
        self.size = size
        self.analyzer = analyzer
        self.ngram_range = tuple(ngram_range)
        self.sublinear_tf = sublinear_tf
        self.supports_jit = False  # XLA knows no strings
        self._ngrams = self._table = None

    @classmethod
    def from_sklearn(cls, vectorizer, regression, **kwargs):
        """Copies a fitted vectorizer and a linear classifier.

        Args:
            vectorizer: a fitted `TfidfVectorizer`, `analyzer` `"word"` or `"char_wb"`;
                `ngram_range`, `sublinear_tf` and `dtype` as you like, the rest its
                defaults.
            regression: a fitted `LogisticRegression`, or another classifier with
                `coef_` and `intercept_`. One with a single row of coefficients gives
                two classes: the logit of the first is 0, that of the second the
                `decision_function`.
            **kwargs: of `keras.layers.Layer`.

        Raises:
            ValueError: the vectorizer works otherwise than this layer can, or the two
                were not fitted together.
        """
        _refuse_other_vectorizers(vectorizer)
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
        layer.fill(ngrams, vectorizer.idf_, coefficients.T, intercepts)
        return layer

    def fill(self, ngrams, idf, coefficients, intercepts):
        """Gives the layer its n-grams and what was learned about them.

        A `tf.function` that was traced before goes on with the n-grams of before.

        Args:
            ngrams: a list of `size` different strings, lower-case, no line breaks.
            idf: floats `(size,)`.
            coefficients: floats `(size, classes)`.
            intercepts: floats `(classes,)`.

        Raises:
            ValueError: a shape, the number of n-grams or an n-gram does not suit.
        """
        self._know(ngrams)
        if not self.built:
            self.build((None,))
        self.idf.assign(idf)
        self.coefficients.assign(coefficients)
        self.intercepts.assign(intercepts)

    def get_ngrams(self):  # no property: saving would walk through its list
        """The n-grams, a list of str in the order of the coefficients; or None."""
        return None if self._ngrams is None else self._ngrams.tolist()

    def build(self, input_shape):
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
        if self._table is None:
            raise ValueError(f"Layer {self.name} has no n-grams yet: call `fill`.")
        texts = tf.reshape(texts, [-1])
        rows, ids, counts = self._counts(*self._split(lowercase(texts)))
        if self.sublinear_tf:
            counts = 1 + tf.math.log(counts)
        values = counts * tf.gather(tf.convert_to_tensor(self.idf), ids)
        number = tf.size(texts, out_type=tf.int64)
        squares = tf.math.unsorted_segment_sum(values**2, rows, number)
        values = values / tf.gather(tf.sqrt(squares), rows)
        # A sum of the coefficients' rows that never holds them all at once.
        places = tf.stack([rows, ids], axis=1)
        tfidf = tf.SparseTensor(places, values, [number, self.size])
        coefficients = tf.convert_to_tensor(self.coefficients)
        return tf.sparse.sparse_dense_matmul(tfidf, coefficients) + self.intercepts

    def _split(self, texts):
        ngrams_of = word_ngrams if self.analyzer == "word" else char_ngrams
        return ngrams_of(texts, self.ngram_range)

    def _counts(self, ngrams, rows):
        """Each known n-gram of each text once: texts' rows, n-grams' ids, counts."""
        ids = self._table.lookup(ngrams)
        known = ids >= 0
        rows, ids = tf.boolean_mask(rows, known), tf.boolean_mask(ids, known)
        places, _, counts = tf.unique_with_counts(rows * self.size + ids)
        rows, ids = places // self.size, places % self.size
        return rows, ids, tf.cast(counts, self.compute_dtype)

    def _know(self, ngrams):
        """Makes the table from n-grams to rows of the coefficients."""
        different = len(set(ngrams))
        if not len(ngrams) == different == self.size:
            raise ValueError(
                f"ngrams must be {self.size} different strings. Received:"
                f" {len(ngrams)}, of which {different} are different"
            )
        if "\n" in "".join(ngrams):
            raise ValueError("No n-gram may hold a line break.")
        with tf.init_scope():
            keys = tf.constant(ngrams, tf.string)
            initializer = tf.lookup.KeyValueTensorInitializer(
                keys, tf.range(self.size, dtype=tf.int64)
            )
            self._table = tf.lookup.StaticHashTable(initializer, default_value=-1)
        # An array, for Keras and TensorFlow would look into every entry of a list.
        self._ngrams = np.array(ngrams, dtype=object)

    def save_own_variables(self, store):
        """Writes the weights, and the n-grams as UTF-8, one a line."""
        store["idf"] = np.asarray(self.idf)
        store["coefficients"] = np.asarray(self.coefficients)
        store["intercepts"] = np.asarray(self.intercepts)
        if self._ngrams is not None:
            lines = "\n".join(self._ngrams).encode()
            store["ngrams"] = np.frombuffer(lines, np.uint8)

    def load_own_variables(self, store):
        """Reads what `save_own_variables` wrote."""
        self.idf.assign(store["idf"])
        self.coefficients.assign(store["coefficients"])
        self.intercepts.assign(store["intercepts"])
        if "ngrams" in store.keys():
            self._know(np.asarray(store["ngrams"]).tobytes().decode().split("\n"))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.classes)

    def get_config(self):
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
        raise ValueError(f"Received: classes={classes}, size={size}; both must be > 0")


def _refuse_other_vectorizers(vectorizer):
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
    if vectorizer.analyzer == "word":  # characters hear of neither
        expected |= {"stop_words": (None,), "token_pattern": (r"(?u)\b\w\w+\b",)}
    for name, values in expected.items():
        value = getattr(vectorizer, name)
        if value not in values:
            raise ValueError(
                f"NgramLogits works with {name} {' or '.join(map(repr, values))}."
                f" Received: {name}={value!r}"
            )
