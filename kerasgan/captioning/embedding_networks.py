"""The image encoder and the text encoder of a dual encoder."""

import keras
import numpy as np
from keras import ops

from kerasgan.encoders.text_branch import build_text_branch

NORMALIZATION = "normalization"  # name of the layer that standardizes features
MAX_DEVIATION = 3  # standard deviations; features are clipped to them


def build_embedding_networks(
    image_encoder: keras.Model | None,
    feature_dim: int,
    vocabulary_size: int,
    caption_length: int,
    joint_dim: int,
    text_branch: str,
    word_vectors: np.ndarray | None,
    num_members: int,
    dropout: float,
    augment: bool,
) -> tuple[keras.Model, keras.Model]:
    """Builds both encoders; see `build_dual_encoder` for the arguments.

    Args:
        image_encoder: images to features, or None.
        feature_dim: size of features, without an image encoder.
        vocabulary_size: number of token ids.
        caption_length: tokens a caption.
        joint_dim: size of each member's vectors.
        text_branch: `"words"` or `"lstm-attention"`.
        word_vectors: initial values of the embeddings, or None.
        num_members: number of members.
        dropout: share of the image's features dropped in training.
        augment: whether images are augmented in training.

    Returns:
        Images or features to unit vectors `(n, num_members, joint_dim)`, and token ids
        `(n, caption_length)` to the same.
    """
    if image_encoder is None:
        image = keras.Input((feature_dim,), name="features")
        x = keras.layers.Normalization(name=NORMALIZATION)(image)
        x = ops.clip(x, -MAX_DEVIATION, MAX_DEVIATION)
    else:
        image = keras.Input(image_encoder.input_shape[1:], name="image")
        x = image_encoder(_augment(image) if augment else image)
        if len(x.shape) == 4:
            x = keras.layers.GlobalAveragePooling2D()(x)
    token_ids = keras.Input((caption_length,), dtype="int32", name="token_ids")
    image_vectors, text_vectors = [], []
    for member in range(num_members):
        image_vectors.append(_project(keras.layers.Dropout(dropout)(x), joint_dim))
        branch = build_text_branch(
            vocabulary_size,
            caption_length,
            joint_dim,
            text_branch,
            name=f"text_branch_{member}",
            word_vectors=word_vectors,
        )
        text_vectors.append(_unit_length(branch(token_ids)))
    return (
        keras.Model(image, ops.stack(image_vectors, axis=1), name="image_encoder"),
        keras.Model(token_ids, ops.stack(text_vectors, axis=1), name="text_encoder"),
    )


def _project(features, dim):
    """Projects features along a linear and a nonlinear path."""
    hidden = keras.layers.Dense(4 * dim, activation="relu")(features)
    vector = keras.layers.Dense(dim)(hidden) + keras.layers.Dense(dim)(features)
    return _unit_length(vector)


def _unit_length(vectors):
    # bfloat16 would only resolve cosines to hundredths.
    return keras.layers.UnitNormalization(dtype="float32")(vectors)


def _augment(image):
    """Flips, zooms, shifts and brightens images, in training only."""
    x = keras.layers.RandomFlip("horizontal")(image)
    x = keras.layers.RandomZoom((-0.25, 0), fill_mode="reflect")(x)
    x = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="reflect")(x)
    return keras.layers.RandomBrightness(0.2)(x)
