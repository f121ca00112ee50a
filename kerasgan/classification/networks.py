"""Paper B's network: an image and a text to logits of classes."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from kerasgan.encoders.precision import to_float32

MAX_DEVIATION = 3  # standard deviations; features are clipped to them
FEATURE_NORM = 5.0  # of the standardized features of an image


def build_classifier(
    num_classes: int,
    image_branch: keras.Model | None = None,
    text_branch: keras.Model | None = None,
    dropout: float = 0.5,
    name: str = "classifier",
) -> keras.Model:
    """Builds a classifier of images, texts, or both.

    The vectors of the branches are concatenated, and a dense layer computes the logits
    (Kim & Lee 2023). The result is a functional model that is used like any other.

    Args:
        num_classes: number of classes.
        image_branch: a model from images to `(n, features)`, or None.
        text_branch: a model from token ids to `(n, features)`, or None.
        dropout: share of the features that are dropped in training.
        name: name of the model.

    Returns:
        A `keras.Model`. Inputs: a dict with `"image"`, `"token_ids"` or both, of the
        shapes of the branches. Output: logits `(n, num_classes)`, float32.

    Raises:
        ValueError: both branches are None.

    Example:
        ```python
        vectorizer = kerasgan.build_vectorizer(texts)
        classifier = kerasgan.build_classifier(
            num_classes=10,
            image_branch=kerasgan.build_conv_branch(image_size=64),
            text_branch=kerasgan.build_text_branch(vectorizer.vocabulary_size(), None),
        )
        classifier.compile(
            "adam",
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,  # faster on CPUs
        )
        token_ids = kerasgan.layers.text_vectorization.tokenize(vectorizer, texts)
        classifier.fit({"image": images, "token_ids": token_ids}, labels, epochs=10)
        logits = classifier.predict({"image": images, "token_ids": token_ids})
        ```
    """
    if image_branch is None and text_branch is None:
        raise ValueError(
            "Pass `image_branch`, `text_branch` or both. Received: None for both"
        )
    inputs, features = {}, []
    branches = {"image": image_branch, "token_ids": text_branch}
    for input_name, branch in branches.items():
        if branch is not None:
            shape, dtype = branch.input.shape[1:], branch.input.dtype
            inputs[input_name] = keras.Input(shape, dtype=dtype, name=input_name)
            features.append(branch(inputs[input_name]))
    x = keras.layers.Concatenate()(features) if len(features) > 1 else features[0]
    x = keras.layers.Dropout(dropout)(x)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name=name)


def build_averaged_network(
    network: keras.Model,
    fitted_weights: Sequence[Sequence[np.ndarray]],
    multi_label: bool = False,
) -> keras.Model:
    """Builds a model that averages a network with different weights.

    Args:
        network: the result of `build_classifier`.
        fitted_weights: for each network of the average, the result of `get_weights`.
        multi_label: whether a pair has any number of labels.

    Returns:
        A `keras.Model` like `network`, in float32, whose logits are the means of the
        log-probabilities, or of the log-odds with several labels.
    """
    scores = []
    for index, weights in enumerate(fitted_weights):
        copy = to_float32(network)
        copy.name = f"{network.name}_{index}"
        copy.set_weights(weights)
        logits = copy(network.input)
        scores.append(logits if multi_label else ops.log_softmax(logits))
    logits = ops.mean(ops.stack(scores), axis=0)
    return keras.Model(network.input, logits, name=network.name)


def build_conv_branch(
    image_size: int, filters: Sequence[int] = (32, 64, 128), dim: int = 128
) -> keras.Model:
    """Builds paper B's image branch: convolution and pooling in turn, then dense.

    Args:
        image_size: side of the square images in pixels.
        filters: number of filters of each 3×3 convolution. A pooling that halves the
            image follows each.
        dim: size of the vector.

    Returns:
        A `keras.Model`: RGB images `(n, size, size, 3)` in [0, 255] to `(n, dim)`.
    """
    image = keras.Input((image_size, image_size, 3), name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    for size in filters:
        x = keras.layers.Conv2D(size, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(dim, activation="relu")(x)
    return keras.Model(image, x, name="image_branch")


def build_feature_branch(features: np.ndarray, dim: int = 128) -> keras.Model:
    """Builds the branch for features of a frozen image encoder.

    The features are standardized and clipped, and scaled so that an image's have a norm
    of about 5 at most, however many they are: with larger norms the network overfits a
    few images before it has learned from the others.

    Args:
        features: `(n, num_features)` of the training images, whose means and variances
            standardize.
        dim: size of the vector.

    Returns:
        A `keras.Model`: `(n, num_features)` to `(n, dim)`.
    """
    num_features = features.shape[1]
    normalization = keras.layers.Normalization(dtype="float32")
    normalization.adapt(features)
    image = keras.Input((num_features,), name="features")
    x = ops.clip(normalization(image), -MAX_DEVIATION, MAX_DEVIATION)
    x = keras.layers.Rescaling(min(1, FEATURE_NORM / num_features**0.5))(x)
    x = keras.layers.Dense(dim, activation="relu")(x)
    return keras.Model(image, x, name="image_branch")


def build_encoder_branch(
    image_encoder: keras.Model, augment: bool = True
) -> keras.Model:
    """Builds a branch that trains an image encoder together with the classifier.

    Features are pooled by their maximum: the object that determines the class may be
    small and anywhere in the image.

    Args:
        image_encoder: the result of `build_image_encoder`.
        augment: whether to flip images horizontally and translate them in training.

    Returns:
        A `keras.Model`: RGB images `(n, size, size, 3)` in [0, 255] to
        `(n, channels)`.
    """
    image = keras.Input(image_encoder.input_shape[1:], name="image")
    x = image
    if augment:
        x = keras.layers.RandomFlip("horizontal")(x)
        x = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest")(x)
    x = keras.layers.GlobalMaxPooling2D()(image_encoder(x))
    return keras.Model(image, x, name="image_branch")
