"""What `GAN.fit` takes, as batches for the training step."""

from typing import Any

import keras
import tensorflow as tf

from kerasgan.training.input_checks import check_images
from kerasgan.training.tokenized_pairs import make_tokenized_dataset, tokenize_pairs


def make_gan_inputs(
    x: Any,
    y: Any,
    vectorizer: keras.layers.Layer | None,
    batch_size: int | None,
    shuffle: bool,
    image_shape: tuple[int, int, int],
    conditional: bool,
) -> Any:
    """Converts the arguments of `GAN.fit`.

    Args:
        x: a `tf.data.Dataset`; arrays `(images, captions)` or
            `{"image": images, "token_ids": token_ids}`; or an array of images.
        y: n captions, or None.
        vectorizer: tokenizes captions.
        batch_size: of arrays; None for 32.
        shuffle: whether arrays are shuffled before each epoch.
        image_shape: `(size, size, channels)` of the discriminator's images.
        conditional: whether the GAN is trained with captions.

    Returns:
        An array or dataset of images without captions; otherwise a dataset of even
        batches of `{"image": images, "token_ids": token_ids}`.

    Raises:
        ValueError: images have another shape or range, captions are needed and
            missing, or have no vectorizer, or the batch size is odd.
    """
    if not conditional:
        x = _images_only(x)
        check_images(x, image_shape)
        return x
    if batch_size and batch_size % 2:
        raise ValueError(f"The batch size must be even. Received: {batch_size}")
    if isinstance(x, dict) and "token_ids" in x:
        count = len(x["image"])
        x = tf.data.Dataset.from_tensor_slices(x)
        x = (x.shuffle(count) if shuffle else x).batch(batch_size or 32)
    if isinstance(x, tf.data.Dataset):
        x = tokenize_pairs(x, vectorizer)
    else:
        x, _ = make_tokenized_dataset(x, y, vectorizer, batch_size, shuffle)
    spec = x.element_spec if isinstance(x, tf.data.Dataset) else None
    if not isinstance(spec, dict) or set(spec) != {"image", "token_ids"}:
        raise ValueError(
            "A conditional GAN needs images with captions: a dataset of (images,"
            " captions), or fit(images, captions). Received:"
            f" x={type(x).__name__ if spec is None else spec}, y={type(y).__name__}"
        )
    check_images(x, image_shape)
    if len(spec["token_ids"].shape) == 3:
        x = x.map(_one_caption)
    return even_batches(x)


def _images_only(x):
    if isinstance(x, dict):
        return x["image"]
    if not isinstance(x, tf.data.Dataset):
        return x[0] if isinstance(x, tuple) else x
    if isinstance(x.element_spec, dict):
        return x.map(lambda batch: batch["image"])
    if isinstance(x.element_spec, tuple):
        return x.map(lambda images, *_: images)
    return x


def _one_caption(batch):
    """Draws one of the captions of each image."""
    token_ids = batch["token_ids"]
    if token_ids.shape[1] == 1:
        return batch | {"token_ids": token_ids[:, 0]}
    is_caption = tf.cast(token_ids[..., 0] != 0, tf.float32)
    row = tf.random.categorical(tf.math.log(is_caption + 1e-9), 1)[:, 0]
    return batch | {"token_ids": tf.gather(token_ids, row, batch_dims=1)}


def even_batches(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Makes the batches of a dataset even, by leaving out the last row of odd ones.

    Args:
        dataset: batches of dicts. Batches of known size pass unchanged.

    Returns:
        A dataset of as many batches; a batch of one row has it twice.

    Raises:
        ValueError: all batches have the same odd size.
    """
    sizes = {tensor.shape[0] for tensor in tf.nest.flatten(dataset.element_spec)}
    if sizes != {None}:
        odd = [size for size in sizes if size and size % 2]
        if odd:
            raise ValueError(f"The batch size must be even. Received: {odd[0]}")
        return dataset

    def even(batch):
        count = tf.shape(tf.nest.flatten(batch)[0])[0]
        rows = tf.minimum(tf.range(tf.maximum(count // 2 * 2, 2)), count - 1)
        return tf.nest.map_structure(lambda tensor: tf.gather(tensor, rows), batch)

    return dataset.map(even)
