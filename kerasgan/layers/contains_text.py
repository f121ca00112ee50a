"""Whether strings contain text, as a layer."""

import keras
import tensorflow as tf

from kerasgan.layers.registration import register


@register
class ContainsText(keras.layers.Layer):
    """Strings `(n,)` to bool `(n,)`: whether there is a letter or a digit in them."""

    def call(self, texts):
        return tf.strings.regex_full_match(texts, r"(?s).*[\pL\pN].*")

    def compute_output_spec(self, texts):
        return keras.KerasTensor(texts.shape, "bool")
