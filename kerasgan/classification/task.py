"""The classification task that the settings describe."""

from dataclasses import dataclass

import keras
import numpy as np

from kerasgan.classification.examples import PairExamples
from kerasgan.data import load_data
from kerasgan.data.label_words import label_words, mask_label_words
from kerasgan.encoders.efficientnet_lite import is_installed
from kerasgan.encoders.feature_cache import average_pool, cached_features
from kerasgan.encoders.image_encoder import BACKBONE_IMAGE_SIZE, build_image_encoder
from kerasgan.errors import UserError


@dataclass
class ClassificationTask:
    """What is to be told apart, and from what.

    Attributes:
        train, test: `Examples`.
        label_names: class names in the order of their numbers.
        image_encoder: the frozen backbone, or None where images are looked at as they are.
        masked: the words left out of the texts because they name a class.
        info: the data set's account, `Pairs.info`.
    """

    train: PairExamples
    test: PairExamples
    label_names: list[str]
    image_encoder: keras.Model | None
    masked: list[str]
    info: dict


def load_task(settings, looks=True, progress=print):
    """Reads the data that the settings describe.

    Args:
        looks: whether images are looked at; a frozen backbone takes its time.

    Returns:
        A `Task`.
    """
    options = settings.classifier
    backbone, image_encoder = resolve_backbone(options.backbone), None
    if looks and backbone != "conv" and options.weights != "none":
        image_encoder = build_image_encoder(
            backbone, BACKBONE_IMAGE_SIZE, options.weights
        )
    size = settings.data.image_size if image_encoder is None else BACKBONE_IMAGE_SIZE
    update = {"keep_uncaptioned": True, "image_size": size}
    pairs = load_data(settings.data.model_copy(update=update))
    names = pairs.label_names
    if not names:
        raise UserError(
            "A classifier needs classes, and the data have none. A table needs a column"
            " of labels (--label-column NAME)."
        )
    sides = pairs.train, pairs.test
    train, test = (
        _examples(side, image_encoder, backbone, options.weights) for side in sides
    )
    if len(np.unique(train.labels)) < 2:
        raise UserError(
            "All training images are of one class"
            f" ({names[train.labels[0]] if len(train) else 'there are none'}); there is"
            " nothing to tell apart."
        )
    _report_rare(train.labels, names, progress)
    masked = []
    if options.mask_label_words:
        masked = label_words(names)
        progress(f"Words that name a class, left out of the texts: {', '.join(masked)}")
        for side in (train, test):
            side.texts = [mask_label_words(texts, masked) for texts in side.texts]
    if options.modality != "image" and not train.has_text.any():
        if options.modality == "text":
            raise UserError("classifier.modality is text, but no text has any words.")
        progress("No text has any words: images alone are learnt from.")
    return ClassificationTask(train, test, names, image_encoder, masked, pairs.info)


def _report_rare(labels, names, progress):
    counts = np.bincount(labels, minlength=len(names))
    rare = [name for name, count in zip(names, counts) if count < 2]
    if rare:
        more = f" and {len(rare) - 10} others" if len(rare) > 10 else ""
        progress(
            f"Classes with one training image or none: {', '.join(rare[:10])}{more}."
            " (data.label_minimum leaves small classes out.)"
        )


def resolve_backbone(name):
    """What `auto` stands for on this machine; other names are what they are."""
    if name != "auto":
        return name
    return "efficientnet-lite0" if is_installed() else "conv"


def _examples(split, image_encoder, backbone, weights):
    # Cleaned as texts are that are asked about later.
    texts = [mask_label_words(own, []) for own in split.captions]
    if image_encoder is None:
        images = split.images
    else:
        images = average_pool(
            cached_features(image_encoder, backbone, split, weights=weights)
        )
    return PairExamples(list(split.ids), images, texts, split.labels)
