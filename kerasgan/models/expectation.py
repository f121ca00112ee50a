"""The words that a picture makes one expect."""

import keras
from keras import ops


def build_expectation(features, vocabulary_size, dim=1024, dropout=0.5):
    """Builds what foretells a picture's captions without their order.

    Args:
        features: numbers a picture; they are standardised by what the layer
            `"standard"` was adapted to.
        vocabulary_size: number of token ids.
        dim: size of the hidden layer.
        dropout: share of the picture's features left out in training.

    Returns:
        A `keras.Model`: features `(n, features)` to vectors of length 1 `(n,
        vocabulary_size)`, to be compared with captions' TF-IDF vectors.
    """
    picture = keras.Input((features,), name="features")
    x = ops.clip(keras.layers.Normalization(name="standard")(picture), -3, 3)
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Dense(dim, activation="relu")(x)
    x = keras.layers.Dropout(dropout / 2)(x)
    words = keras.layers.UnitNormalization()(keras.layers.Dense(vocabulary_size)(x))
    return keras.Model(picture, words, name="expectation")
