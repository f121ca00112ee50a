"""Datasets of images with raw captions, tokenized for the models that train on them."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def tokenize_pairs(
    dataset: tf.data.Dataset, vectorizer: keras.layers.Layer | None
) -> tf.data.Dataset:
    """Tokenizes the captions of a batched dataset, inside tf.data.

    Tokenizing on the host keeps strings out of the training step, which XLA and TPUs
    need.

    Args:
        dataset: batches of `(images, captions)` or of
            `{"image": images, "caption": captions}`. `images` have shape
            `(n, height, width, channels)`; `captions` are strings `(n,)`, or
            `(n, k)` for k captions an image, empty where an image has fewer. Batches
            without strings pass unchanged.
        vectorizer: the `TextVectorization` layer that turns captions into token ids.

    Returns:
        A dataset of `{"image": images, "token_ids": int32 (n, length)}`, or
        `(n, k, length)` for k captions an image, all zero for empty captions.

    Raises:
        ValueError: the dataset has captions and there is no vectorizer.
    """
    names = _names(dataset.element_spec)
    if names is None:
        return dataset
    if vectorizer is None:
        raise ValueError(
            "Captions given as strings need a vectorizer: pass the result of"
            " `build_vectorizer` as `vectorizer`, or a dataset of token ids."
        )

    def tokenize(*element: Any) -> dict:
        batch = element[0] if len(element) == 1 else element
        image, caption = (batch[name] for name in names)
        if isinstance(caption, tf.RaggedTensor):
            caption = caption.to_tensor("")
        token_ids = vectorizer(tf.reshape(caption, [-1]))
        shape = tf.concat([tf.shape(caption), tf.shape(token_ids)[1:]], axis=0)
        token_ids = tf.reshape(tf.cast(token_ids, tf.int32), shape)
        length = token_ids.shape[-1] or vectorizer(tf.constant([""])).shape[-1]
        token_ids.set_shape([*caption.shape, length])
        if len(caption.shape) == 2:
            token_ids = tf.where(caption[..., None] == "", 0, token_ids)
        return {"image": image, "token_ids": token_ids}

    return dataset.map(tokenize, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def _names(spec):
    """The keys of image and caption in an element, or None without strings."""
    if isinstance(spec, dict):
        caption = spec.get("caption")
        names = ("image", "caption")
    elif isinstance(spec, tuple) and len(spec) == 2:
        caption, names = spec[1], (0, 1)
    else:
        return None
    return names if getattr(caption, "dtype", None) == tf.string else None


def make_tokenized_dataset(
    x: Any,
    y: Any = None,
    vectorizer: keras.layers.Layer | None = None,
    batch_size: int | None = None,
    shuffle: bool = False,
) -> tuple[Any, Any]:
    """Converts images and captions, as `fit` of a model takes them, to a dataset.

    Args:
        x: a `tf.data.Dataset`, see `tokenize_pairs`; or arrays `(images, captions)` or
            `{"image": images, "caption": captions}`; or an array of images.
        y: captions, if `x` is an array of images: n str, or n lists of str.
        vectorizer: see `tokenize_pairs`.
        batch_size: of arrays; None for 32.
        shuffle: whether arrays are shuffled before each epoch.

    Returns:
        A dataset with token ids int32 `(n, k, length)`, and None. Other arguments
        without strings are returned unchanged.
    """
    if isinstance(x, tf.data.Dataset):
        return _add_captions_axis(tokenize_pairs(x, vectorizer)), y
    if isinstance(x, dict) and set(x) == {"image", "caption"}:
        images, captions = x["image"], x["caption"]
    elif isinstance(x, tuple) and len(x) == 2 and y is None:
        images, captions = x
    else:
        images, captions = x, y
    captions = _pad_captions(captions)
    if captions.dtype.kind not in "USO" or captions.ndim not in (1, 2):
        return x, y
    dataset = tf.data.Dataset.from_tensor_slices((images, captions))
    if shuffle:
        dataset = dataset.shuffle(len(captions))
    dataset = tokenize_pairs(dataset.batch(batch_size or 32), vectorizer)
    return _add_captions_axis(dataset), None


def _add_captions_axis(dataset):
    """Makes token ids `(n, 1, length)` of `(n, length)`.

    Keras compiles one function for datasets of the same rank, and TensorFlow would give
    up the rank if it was called with both.
    """
    spec = dataset.element_spec
    if not isinstance(spec, dict) or "token_ids" not in spec:
        return dataset
    if len(spec["token_ids"].shape) == 3:
        return dataset
    return dataset.map(lambda batch: batch | {"token_ids": batch["token_ids"][:, None]})


def _pad_captions(captions):
    """An array `(n,)`, or `(n, k)` with empty strings where an image has fewer."""
    has_lists = (
        isinstance(captions, Sequence)
        and len(captions) > 0
        and isinstance(captions[0], (list, tuple))
    )
    if has_lists:
        count = max(map(len, captions))
        captions = [[*texts, *[""] * (count - len(texts))] for texts in captions]
    return np.asarray(captions)
