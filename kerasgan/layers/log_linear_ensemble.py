"""A log-linear ensemble of classifiers, as a layer."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasgan.layers.registration import register

MIN_LOG_PROBABILITY = -20.0  # of a class that a member was not trained on
MAX_LOG_ODDS = -MIN_LOG_PROBABILITY  # and, negative, the least, with several labels


@register
class LogLinearEnsemble(keras.layers.Layer):
    """Combines classifiers that were trained separately: p ∝ Π pₖ^wₖ.

    The weights depend on the inputs that are present: image and text, only an image, or
    only a text. With neither, the output is the prior. (Geometric pool of experts:
    Hinton 1999, "Products of experts"; weights fitted on out-of-fold predictions:
    Wolpert 1992, "Stacked generalization".)

    If a pair has any number of labels, each class is a decision of its own between two,
    and the same product makes its log-odds a weighted sum.

    Inputs: log-probabilities `(n, members, classes)`, or log-odds with `multi_label`;
    and two bool `(n,)`: whether an image is present, and whether a text is. Output:
    probabilities `(n, classes)`, float32, which sum to 1 without `multi_label`.

    Args:
        weights: non-negative `(3, members)`: for image and text, an image, a text.
        prior: `(classes,)`, the shares of the classes in the training data.
        multi_label: whether a pair has any number of labels.
    """

    def __init__(
        self,
        weights: Sequence[Sequence[float]],
        prior: Sequence[float],
        multi_label: bool = False,
        **kwargs: Any,
    ):
        kwargs.setdefault("dtype", "float32")  # bfloat16 would lose digits
        super().__init__(**kwargs)
        self.member_weights = np.asarray(weights, "float32").tolist()
        self.prior = np.asarray(prior, "float32").tolist()
        self.multi_label = multi_label

    def call(self, scores, has_image, has_text):
        """Combines the members' predictions for a batch."""
        members = len(self.member_weights[0])
        table = ops.array([[0.0] * members, *self.member_weights], dtype="float32")
        row = ops.where(has_image, ops.where(has_text, 1, 2), ops.where(has_text, 3, 0))
        weights = ops.take(table, row, axis=0)
        logits = ops.sum(weights[:, :, None] * scores, axis=1)
        has_neither = ops.cast(ops.equal(row, 0), "float32")[:, None]
        prior = ops.array(self.prior, dtype="float32")
        logits += has_neither * ops.log(prior + 1e-7)
        if not self.multi_label:
            return ops.softmax(logits, axis=-1)
        logits -= has_neither * ops.log(1 - prior + 1e-7)
        return ops.sigmoid(logits)

    def compute_output_shape(self, shape, *_):
        """Returns `(n, classes)`."""
        return (shape[0], shape[2])

    def get_config(self):
        """Returns the arguments of `__init__`."""
        return {
            **super().get_config(),
            "weights": self.member_weights,
            "prior": self.prior,
            "multi_label": self.multi_label,
        }
