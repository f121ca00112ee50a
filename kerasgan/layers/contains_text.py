"""Whether strings contain text, as a layer."""

import keras
import tensorflow as tf

from kerasgan.layers.registration import register


@register
class ContainsText(keras.layers.Layer):
    """Tells whether strings contain a letter or a digit.

    Input: strings `(n,)`. Output: bool `(n,)`.
    """

    def call(self, texts):
        """Matches a batch of strings."""
        return tf.strings.regex_full_match(texts, r"(?s).*[\pL\pN].*")

    def compute_output_spec(self, texts):
        """Returns a bool tensor of the same shape."""
        return keras.KerasTensor(texts.shape, "bool")
