"""Checks of the arguments of `GAN`, before they fail inside a training step."""

from collections.abc import Iterable, Sequence

import keras
import numpy as np

from kerasgan.gan.augmentation import AUGMENTATIONS
from kerasgan.gan.losses import LOSSES
from kerasgan.training.input_checks import check_captions

ORDERS = ("one-stage", "alternating")
NO_VALIDATION = (
    "A GAN has no validation loss. Compare generated with real images instead, with"
    " the functions of kerasgan.evaluation.image_metrics."
)
ARGUMENTS = {  # of Keras's methods that a GAN does not have, and what to do instead
    "optimizer": "Pass g_optimizer and d_optimizer.",
    "loss": "Pass it to GAN(..., loss=...).",
    "metrics": "A GAN has metrics of its own.",
    "validation_data": NO_VALIDATION,
    "validation_split": NO_VALIDATION,
}


def check_choices(loss: str, order: str, augmentation: Sequence[str]) -> None:
    """Rejects unknown names among the arguments of `GAN`.

    Args:
        loss: one of `LOSSES`.
        order: one of `ORDERS`.
        augmentation: any of `AUGMENTATIONS`.

    Raises:
        ValueError: a name is unknown.
    """
    choices: list[tuple[str, str, Iterable[str]]] = [
        ("loss", loss, LOSSES),
        ("order", order, ORDERS),
        *(("augmentation", name, AUGMENTATIONS) for name in augmentation),
    ]
    for name, value, known in choices:
        if value not in known:
            raise ValueError(
                f"{name} must be one of {', '.join(known)}. Received: {value!r}"
            )


def check_what_to_generate(
    captions: Sequence[str] | None, count: int | None, noise: np.ndarray | None
) -> None:
    """Rejects arguments of `generate` that do not fit together.

    Args:
        captions: n str, or None.
        count: number of images, or None.
        noise: floats `(n, latent_dim)`, or None.

    Raises:
        ValueError: `captions` is one string or empty, does not fit `noise`, or nothing
            tells how many images.
    """
    check_captions(captions)
    if captions is None:
        if noise is None and count is None:
            raise ValueError("generate needs captions, count or noise.")
    elif not len(captions):
        raise ValueError("captions must not be empty.")
    elif noise is not None and len(noise) != len(captions):
        raise ValueError(
            f"noise must have a row for each caption. Received: {len(noise)} rows,"
            f" {len(captions)} captions"
        )


def check_image_size(image_size: int) -> None:
    """Rejects an image size for which no network can be built.

    Args:
        image_size: side of the images in pixels.

    Raises:
        ValueError: it is no power of two, or less than 8.
    """
    if image_size & (image_size - 1) or image_size < 8:
        raise ValueError(
            "image_size must be a power of two, at least 8. Received:"
            f" image_size={image_size}"
        )


def reject_arguments(method: str, given: dict) -> None:
    """Rejects arguments of `keras.Model` that would have no effect.

    Args:
        method: name of the method.
        given: its keyword arguments.

    Raises:
        ValueError: one of `ARGUMENTS` is given.
    """
    for name in ARGUMENTS:
        if given.get(name) is not None:
            raise ValueError(f"GAN.{method} does not take {name}. {ARGUMENTS[name]}")


def check_networks(
    generator: keras.Model,
    discriminator: keras.Model,
    vectorizer: keras.layers.Layer | None,
) -> None:
    """Rejects networks that do not fit each other.

    Args:
        generator: the result of `build_generator`.
        discriminator: the result of `build_discriminator`.
        vectorizer: the result of `build_vectorizer`, or None.

    Raises:
        ValueError: sizes differ, only one of the networks takes captions, or the
            discriminator is another model.
    """
    if not hasattr(discriminator, "image_branch"):
        raise ValueError(
            "discriminator must be a kerasgan.Discriminator, whose image_branch is any"
            f" model from images to vectors. Received: {type(discriminator).__name__}"
        )
    text_branch = discriminator.text_branch
    pairs = [
        ("images", generator.output_shape, discriminator.image_branch.input_shape),
        ("features of captions", _text_dim(generator), _output_dim(text_branch)),
    ]
    if text_branch is not None and vectorizer is not None:
        length = vectorizer.get_config()["output_sequence_length"]
        pairs.append(("tokens of a caption", length, text_branch.input_shape[1]))
    for name, ours, theirs in pairs:
        if None not in (ours, theirs) and ours != theirs:
            raise ValueError(
                f"The {name} of the generator or vectorizer do not fit the"
                f" discriminator: {ours} and {theirs}."
            )
    if (_text_dim(generator) is None) != (text_branch is None):
        raise ValueError(
            "Either both networks take captions or none does: build the generator with"
            " text_dim and the discriminator with vocabulary_size. Received: text_dim="
            f"{_text_dim(generator)}, text_branch={text_branch}"
        )


def _text_dim(generator):
    inputs = generator.input
    return inputs["caption"].shape[-1] if isinstance(inputs, dict) else None


def _output_dim(text_branch):
    return None if text_branch is None else text_branch.output_shape[-1]
