"""A log-linear ensemble of classifiers, as a layer."""

import keras
import numpy as np
from keras import ops

from kerasgan.layers.registration import register

MIN_LOG_PROBABILITY = -20.0  # log-probability of a class that a part has not met


@register
class LogLinearEnsemble(keras.layers.Layer):
    """Parts trained alone, put together: p ∝ Π pₖ^wₖ.

    The weights depend on what is there: those of a pair, of an image alone, of a text
    alone. With neither, the classes' shares in the training pairs are the answer. (The
    geometric pool of experts: Hinton 1999, "Products of experts"; weights outside of
    what the parts were fitted on: Wolpert 1992, "Stacked generalization".)

    Inputs: log-probabilities `(n, parts, classes)`, and `(n,)` bool each: whether there
    is an image, and a text. Output: probabilities `(n, classes)` float32.

    Args:
        weights: `(3, parts)`, non-negative: for a pair, an image, a text.
        prior: `(classes,)`, the classes' shares.
    """

    def __init__(self, weights, prior, **kwargs):
        kwargs.setdefault("dtype", "float32")  # half of it would cost decimals
        super().__init__(**kwargs)
        self.pool_weights = np.asarray(weights, "float32").tolist()
        self.prior = np.asarray(prior, "float32").tolist()

    def call(self, log_probabilities, seen, read):
        parts = len(self.pool_weights[0])
        table = ops.array([[0.0] * parts, *self.pool_weights], dtype="float32")
        row = ops.where(seen, ops.where(read, 1, 2), ops.where(read, 3, 0))
        weights = ops.take(table, row, axis=0)
        logits = ops.sum(weights[:, :, None] * log_probabilities, axis=1)
        nothing = ops.cast(ops.equal(row, 0), "float32")[:, None]
        prior = ops.log(ops.array(self.prior, dtype="float32") + 1e-7)
        return ops.softmax(logits + nothing * prior, axis=-1)

    def compute_output_shape(self, shape, *_):
        return (shape[0], shape[2])

    def get_config(self):
        return {
            **super().get_config(),
            "weights": self.pool_weights,
            "prior": self.prior,
        }
