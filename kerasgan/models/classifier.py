"""Paper B's network: pictures and words to classes."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from kerasgan.models.layers import REGISTER
from kerasgan.models.precision import in_float32

LEAST = -20.0  # log-probability of a class that a part has not met


def build_classifier(classes, picture=None, text=None, dropout=0.5, name="classifier"):
    """Builds the head over one branch or two.

    Args:
        classes: how many.
        picture: the branch that looks, such as `build_conv_branch`, or None.
        text: the branch that reads, `build_text_branch`, or None.
        dropout: share of the vectors left out in training.

    Returns:
        A `keras.Model`: `{"picture": …, "token_ids": …}`, of which it has one or both,
        to logits `(n, classes)`, float32.
    """
    inputs, vectors = {}, []
    for side, branch in (("picture", picture), ("token_ids", text)):
        if branch is not None:
            shape, dtype = branch.input.shape[1:], branch.input.dtype
            inputs[side] = keras.Input(shape, dtype=dtype, name=side)
            vectors.append(branch(inputs[side]))
    both = keras.layers.Concatenate()(vectors) if len(vectors) > 1 else vectors[0]
    both = keras.layers.Dropout(dropout)(both)
    logits = keras.layers.Dense(classes, dtype="float32", name="classes")(both)
    return keras.Model(inputs, logits, name=name)


def build_average(network, members):
    """Builds what answers by the mean of several.

    Args:
        network: what `build_classifier` returns.
        members: lists of weights that suit it.

    Returns:
        A `keras.Model` like `network`, whose logits are the mean of the members'
        log-probabilities.
    """
    said = []
    for number, weights in enumerate(members):
        member = in_float32(network)
        member.name = f"{network.name}_{number}"
        member.set_weights(weights)
        said.append(ops.log_softmax(member(network.input)))
    logits = ops.mean(ops.stack(said), axis=0)
    return keras.Model(network.input, logits, name=network.name)


def build_conv_branch(image_size, filters=(32, 64, 128), dim=128):
    """Builds paper B's picture branch: convolution and pooling in turn, then flat.

    Args:
        image_size: side of the square pictures in pixels.
        filters: of each 3×3 convolution; each pooling halves the picture.
        dim: size of the vector.

    Returns:
        A `keras.Model`: RGB pictures `(n, size, size, 3)` in [0, 255] to `(n, dim)`.
    """
    picture = keras.Input((image_size, image_size, 3), name="picture")
    x = keras.layers.Rescaling(1 / 255)(picture)
    for size in filters:
        x = keras.layers.Conv2D(size, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(dim, activation="relu")(x)
    return keras.Model(picture, x, name="picture_branch")


def build_feature_branch(features, dim=128):
    """Builds the branch behind a frozen eye: `(n, features)` to `(n, dim)`."""
    found = keras.Input((features,), name="features")
    x = keras.layers.LayerNormalization()(found)
    x = keras.layers.Dense(dim, activation="relu")(x)
    return keras.Model(found, x, name="picture_branch")


def build_eye_branch(eye, augment=True):
    """Builds the branch that trains an eye along.

    What is looked for may be anywhere and small: each feature counts where it is
    strongest.

    Args:
        eye: what `build_eye` returns.
        augment: mirrors and shifts pictures in training.

    Returns:
        A `keras.Model`: RGB pictures `(n, size, size, 3)` in [0, 255] to
        `(n, channels)`.
    """
    picture = keras.Input(eye.input_shape[1:], name="picture")
    x = picture
    if augment:
        x = keras.layers.RandomFlip("horizontal")(x)
        x = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest")(x)
    x = keras.layers.GlobalMaxPooling2D()(eye(x))
    return keras.Model(picture, x, name="picture_branch")


@REGISTER
class LogLinearPool(keras.layers.Layer):
    """Parts trained alone, put together: p ∝ Π pₖ^wₖ.

    The weights depend on what is there: those of a pair, of a picture alone, of a text
    alone. With neither, the classes' shares in the training pairs are the answer. (The
    geometric pool of experts: Hinton 1999, "Products of experts"; weights outside of
    what the parts were fitted on: Wolpert 1992, "Stacked generalization".)

    Inputs: log-probabilities `(n, parts, classes)`, and `(n,)` bool each: whether there
    is a picture, and a text. Output: probabilities `(n, classes)` float32.

    Args:
        weights: `(3, parts)`, non-negative: for a pair, a picture, a text.
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


@REGISTER
class HasWords(keras.layers.Layer):
    """Strings `(n,)` to bool `(n,)`: whether there is a letter or a digit in them."""

    def call(self, texts):
        return tf.strings.regex_full_match(texts, r"(?s).*[\pL\pN].*")

    def compute_output_spec(self, texts):
        return keras.KerasTensor(texts.shape, "bool")
