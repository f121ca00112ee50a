"""The classification task of images and texts in memory, for `PairClassifier`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasgan.classification.examples import PairExamples, contains_text
from kerasgan.classification.pair_inputs import Images, prepare_images, to_config_value
from kerasgan.classification.task import (
    ClassificationTask,
    build_frozen_encoder,
    check_settings,
)
from kerasgan.config.settings import ClassifierConfig, Settings
from kerasgan.data.label_words import label_words, mask_label_words


def pair_config(
    parameters: Mapping[str, Any], has_images: bool, has_texts: bool
) -> ClassifierConfig:
    """Converts the parameters of `PairClassifier` to settings.

    Args:
        parameters: by name; those that are no settings are ignored.
        has_images: whether there are images to train on.
        has_texts: whether there are texts to train on.

    Returns:
        The section `classifier` of the settings.

    Raises:
        ValueError: a parameter is invalid, or does not suit the data or the others.
    """
    names = parameters.keys() & ClassifierConfig.model_fields
    values = {name: to_config_value(parameters[name]) for name in names}
    for name, is_given in (("image", has_images), ("text", has_texts)):
        if values["modality"] == name and not is_given:
            raise ValueError(f"modality is {name!r}, but all {name}s are None.")
    if not (has_images and has_texts):
        values["modality"] = "image" if has_images else "text"
    config = ClassifierConfig(**values)
    check_settings(Settings(classifier=config))
    if config.multi_label and config.mask_label_words:
        raise ValueError(
            "mask_label_words needs the names of the classes, which PairClassifier does"
            " not know with multi_label=True. Remove their words from the texts before:"
            " kerasgan.data.label_words.mask_label_words"
        )
    return config


def build_pair_task(
    config: ClassifierConfig,
    images: Images | None,
    texts: Sequence[str] | None,
    labels: np.ndarray,
    label_names: Sequence[str],
    image_size: int | None,
) -> ClassificationTask:
    """Builds a task as `load_task` does from a data set.

    Args:
        config: which inputs are used and how.
        images: see `split_inputs`.
        texts: see `split_inputs`.
        labels: see `PairExamples`.
        label_names: names of the classes.
        image_size: see `prepare_images`.

    Returns:
        A `ClassificationTask` without test examples.

    Raises:
        ValueError: an image is missing, or all texts are, and they are used.
    """
    image_encoder = None
    if config.modality == "text":
        images = None
    else:
        if any(image is None for image in images):
            raise ValueError("Training needs an image for every pair, or for none.")
        image_encoder = build_frozen_encoder(config.backbone, config.weights)
        images = prepare_images(images, image_encoder, image_size)
    masked_words = label_words(label_names) if config.mask_label_words else []
    texts = mask_label_words(texts or [""] * len(labels), masked_words)
    if config.modality == "text" and not any(map(contains_text, texts)):
        raise ValueError("No text has a letter or a digit.")
    ids = [str(index) for index in range(len(labels))]
    captions = [[text] if text else [] for text in texts]
    examples = PairExamples(ids, images, captions, labels)
    return ClassificationTask(examples, list(label_names), image_encoder, masked_words)
