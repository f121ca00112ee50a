"""Checks and converts the arguments of `PairClassifier`."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from PIL import Image

from kerasgan.classification.pair_labels import check_labels
from kerasgan.data.images import square_image
from kerasgan.encoders.feature_cache import average_pool, encode_images
from kerasgan.encoders.image_encoder import BACKBONE_IMAGE_SIZE

Images = np.ndarray | Sequence[np.ndarray | None]


def image_text_pairs(
    images: Sequence[np.ndarray | None] | None, texts: Sequence[str | None] | None
) -> np.ndarray:
    """Joins images and texts to one array that scikit-learn can index.

    `cross_val_score(PairClassifier(), image_text_pairs(images, texts), labels)`

    Args:
        images: uint8 `(n, height, width, 3)`, or a sequence of such images and None for
            each missing image; None if all are missing.
        texts: n strings, or None for each missing text; None if all are missing.

    Returns:
        An object array `(n,)` of tuples `(image, text)`. Images are not copied.

    Raises:
        ValueError: the lengths differ, or both are None.
    """
    count = _common_length(images=images, texts=texts)
    pairs = np.empty(count, dtype=object)
    for index in range(count):
        image = None if images is None else images[index]
        pairs[index] = (image, None if texts is None else texts[index])
    return pairs


def split_inputs(images: Any, texts: Any) -> tuple[Images | None, list[str] | None]:
    """Checks images and texts, which may be given as pairs.

    Args:
        images: see `image_text_pairs`, or a sequence of tuples `(image, text)`.
        texts: see `image_text_pairs`; None with pairs.

    Returns:
        Images: an array, a list with None for missing images, or None if all are
        missing. Texts: a list of strings, empty if missing, or None if all are missing.

    Raises:
        ValueError: the lengths differ, there are no images and no texts, or they have
            a wrong type, dtype or shape.
    """
    if are_pairs(images):
        if texts is not None:
            raise ValueError("With (image, text) tuples, `texts` must be None.")
        images, texts = map(list, zip(*images, strict=True))
    images, texts = _check_images(images), _check_texts(texts)
    if not _common_length(images=images, texts=texts):
        raise ValueError("There are no images and no texts. Received: 0 pairs")
    return images, texts


def split_training_data(
    images: Any, texts: Any, labels: Any, multi_label: bool = False
) -> tuple[Images | None, list[str] | None, list | np.ndarray]:
    """Checks images, texts and labels, see `split_inputs`.

    Args:
        images: images or pairs.
        texts: texts; with pairs and without `labels`, the labels.
        labels: n labels, or None.
        multi_label: whether a pair has any number of labels.

    Returns:
        Images, texts, and the result of `check_labels`.

    Raises:
        ValueError: see `split_inputs` and `check_labels`, or labels are missing.
    """
    if are_pairs(images) and labels is None:
        texts, labels = None, texts
    if labels is None:
        raise ValueError(
            "Labels are missing: pass (images, texts, labels) or (pairs, labels). Tools"
            " of scikit-learn need pairs: kerasgan.image_text_pairs(images, texts)."
        )
    images, texts = split_inputs(images, texts)
    labels = check_labels(labels, multi_label)
    _common_length(images=images, texts=texts, labels=labels)
    return images, texts, labels


def are_pairs(images: Any) -> bool:
    """Returns whether images are given as a sequence of `(image, text)` tuples.

    Args:
        images: the argument of a method.
    """
    first = None if images is None else next(iter(images), None)
    return isinstance(first, tuple) and len(first) == 2


def resize_images(images: Images, size: int) -> Images:
    """Crops images to their central square, and resizes them.

    Args:
        images: see `split_inputs`.
        size: side of the results in pixels.

    Returns:
        An array uint8 `(n, size, size, 3)`; a list if images are missing.
    """
    if isinstance(images, np.ndarray) and images.shape[1:3] == (size, size):
        return images
    resized = [None if image is None else _resize(image, size) for image in images]
    present = [image for image in resized if image is not None]
    return np.stack(present) if len(present) == len(resized) else resized


def prepare_images(
    images: np.ndarray | Sequence[np.ndarray],
    image_encoder: keras.Model | None,
    image_size: int | None,
) -> np.ndarray:
    """Resizes images for training, and encodes them if there is an image encoder.

    Args:
        images: see `split_inputs`; none is missing.
        image_encoder: a frozen image encoder, or None.
        image_size: side in pixels; None for the shorter side of the smallest image.
            Ignored with an image encoder.

    Returns:
        uint8 `(n, size, size, 3)`, or features float32 `(n, channels)`.
    """
    if image_encoder is not None:
        resized = np.asarray(resize_images(images, BACKBONE_IMAGE_SIZE))
        # float16, as the command caches them.
        return average_pool(encode_images(image_encoder, resized, dtype=np.float16))
    smallest = min(min(image.shape[:2]) for image in images)
    return np.asarray(resize_images(images, image_size or smallest))


def to_config_value(value: Any) -> Any:
    """Converts NumPy scalars and sequences, which `ClassifierConfig` does not accept.

    Args:
        value: the value of a parameter; `GridSearchCV` may pass NumPy types.

    Returns:
        Scalars of Python, and lists.
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list | np.ndarray):
        return [to_config_value(item) for item in value]
    return value


def _resize(image, size):
    if image.shape[:2] == (size, size):
        return image
    square = square_image(Image.fromarray(image), size, "crop")
    return np.asarray(square)


def _check_images(images):
    if images is None:
        return None
    if isinstance(images, np.ndarray) and images.dtype != object:
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            raise ValueError(
                "Images must be uint8 of shape (n, height, width, 3). Received:"
                f" dtype={images.dtype}, shape={images.shape}"
            )
        return images
    images = list(images)
    for index, image in enumerate(images):
        if image is not None and not _is_image(image):
            dtype, shape = getattr(image, "dtype", None), getattr(image, "shape", None)
            received = f"dtype={dtype}, shape={shape}" if dtype else repr(image)
            raise ValueError(
                "Each image must be None or uint8 of shape (height, width, 3)."
                f" Received at index {index}: {received}"
            )
    return images if any(image is not None for image in images) else None


def _is_image(image):
    is_array = isinstance(image, np.ndarray) and image.dtype == np.uint8
    return is_array and image.ndim == 3 and image.shape[2] == 3 and image.size > 0


def _check_texts(texts):
    if texts is None:
        return None
    if isinstance(texts, str):
        raise ValueError(f"Texts must be a list of strings. Received: {texts!r}")
    texts = list(texts)
    for index, text in enumerate(texts):
        if text is not None and not isinstance(text, str):
            raise ValueError(
                "Each text must be a string, or None if it is missing."
                f" Received at index {index}: {text!r}"
            )
    if all(text is None for text in texts):
        return None
    return [text or "" for text in texts]


def _common_length(**sequences):
    """The length of sequences, of which some may be None."""
    lengths = {
        name: len(values) for name, values in sequences.items() if values is not None
    }
    if not lengths:
        raise ValueError("There are neither images nor texts: both are None.")
    if len(set(lengths.values())) > 1:
        received = ", ".join(f"{count} {name}" for name, count in lengths.items())
        raise ValueError(f"The lengths differ. Received: {received}")
    return next(iter(lengths.values()))
