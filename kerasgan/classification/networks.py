"""Paper B's network: images and words to classes."""

import keras
from keras import ops

from kerasgan.encoders.precision import to_float32


def build_classifier(classes, image=None, text=None, dropout=0.5, name="classifier"):
    """Builds the head over one branch or two.

    Args:
        classes: how many.
        image: the branch that looks, such as `build_conv_branch`, or None.
        text: the branch that reads, `build_text_branch`, or None.
        dropout: share of the vectors left out in training.

    Returns:
        A `keras.Model`: `{"image": …, "token_ids": …}`, of which it has one or both,
        to logits `(n, classes)`, float32.
    """
    inputs, vectors = {}, []
    for side, branch in (("image", image), ("token_ids", text)):
        if branch is not None:
            shape, dtype = branch.input.shape[1:], branch.input.dtype
            inputs[side] = keras.Input(shape, dtype=dtype, name=side)
            vectors.append(branch(inputs[side]))
    both = keras.layers.Concatenate()(vectors) if len(vectors) > 1 else vectors[0]
    both = keras.layers.Dropout(dropout)(both)
    logits = keras.layers.Dense(classes, dtype="float32", name="classes")(both)
    return keras.Model(inputs, logits, name=name)


def build_averaged_network(network, members):
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
        member = to_float32(network)
        member.name = f"{network.name}_{number}"
        member.set_weights(weights)
        said.append(ops.log_softmax(member(network.input)))
    logits = ops.mean(ops.stack(said), axis=0)
    return keras.Model(network.input, logits, name=network.name)


def build_conv_branch(image_size, filters=(32, 64, 128), dim=128):
    """Builds paper B's image branch: convolution and pooling in turn, then flat.

    Args:
        image_size: side of the square images in pixels.
        filters: of each 3×3 convolution; each pooling halves the image.
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


def build_feature_branch(features, dim=128):
    """Builds the branch behind a frozen image_encoder: `(n, features)` to `(n, dim)`."""
    found = keras.Input((features,), name="features")
    x = keras.layers.LayerNormalization()(found)
    x = keras.layers.Dense(dim, activation="relu")(x)
    return keras.Model(found, x, name="image_branch")


def build_encoder_branch(image_encoder, augment=True):
    """Builds the branch that trains an image_encoder along.

    What is looked for may be anywhere and small: each feature counts where it is
    strongest.

    Args:
        image_encoder: what `build_image_encoder` returns.
        augment: mirrors and shifts images in training.

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
