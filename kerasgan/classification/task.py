"""The classification task that the settings describe."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from kerasgan.classification.caption_filler import (
    CaptionFiller,
    describe_filled_captions,
)
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.scores import class_counts, multi_hot
from kerasgan.config.settings import DataConfig, Settings
from kerasgan.data import Split, load_data
from kerasgan.data.label_words import label_words, mask_label_words
from kerasgan.encoders.efficientnet_lite import is_installed
from kerasgan.encoders.feature_cache import average_pool, cached_features
from kerasgan.encoders.image_encoder import BACKBONE_IMAGE_SIZE, build_image_encoder
from kerasgan.errors import UserError

MAX_NAMES = 10  # names of rare classes that a message lists


@dataclass
class ClassificationTask:
    """Examples of classes, and how their images are encoded.

    Attributes:
        train: the training examples.
        label_names: names of the classes, in the order of the labels.
        image_encoder: the frozen image encoder, or None if networks take images.
        masked_words: words that were removed from the texts because they name a class.
        test: the test examples, or None.
        info: `Pairs.info` of the data set; `filled_captions`, the result of
            `CaptionFiller.fill`, if there is one.
    """

    train: PairExamples
    label_names: list[str]
    image_encoder: keras.Model | None = None
    masked_words: list[str] = field(default_factory=list)
    test: PairExamples | None = None
    info: dict[str, Any] = field(default_factory=dict)


def load_task(
    settings: Settings,
    use_images: bool = True,
    progress: Callable[[str], None] = print,
) -> ClassificationTask:
    """Loads the data that the settings describe.

    Args:
        settings: the sections `data` and `classifier`.
        use_images: whether images are used; False saves the time of a frozen image
            encoder.
        progress: called with each message.

    Returns:
        A `ClassificationTask`.

    Raises:
        UserError: see `check_settings`; the data have no classes, only one class, or no
            text although only texts are used; or the run that makes captions has no
            captioner.
    """
    check_settings(settings)
    config, image_encoder = settings.classifier, None
    filler = _build_caption_filler(config)
    if use_images:
        image_encoder = build_frozen_encoder(config.backbone, config.weights)
    size = settings.data.image_size if image_encoder is None else BACKBONE_IMAGE_SIZE
    pairs = load_data(data_config(settings, size))
    if use_images and settings.data.service:
        progress("data.service is not used: it is for the images stage of train-gan.")
    if use_images and pairs.memory_note:
        progress(pairs.memory_note)
    names = pairs.label_names
    if not names:
        raise UserError(
            "A classifier needs labels, but the data have none. Name the column of"
            " labels of a table with --label-column."
        )
    encoder = image_encoder, resolve_backbone(config.backbone), config.weights
    num_classes = len(names) if config.multi_label else None
    train, test = (
        _load_examples(split, *encoder, num_classes)
        for split in (pairs.train, pairs.test)
    )
    counts = class_counts(train.labels, len(names))
    _require_classes(counts, names)
    _report_rare_classes(counts, names, progress)
    info = pairs.info
    if filler:
        filled = filler.fill(data_config(settings), train, test)
        notes = [*info["notes"], describe_filled_captions(filled)]
        info = info | {"filled_captions": filled, "notes": notes}
    masked_words = []
    if config.mask_label_words:
        masked_words = _mask_label_words((train, test), names, progress)
    if config.modality != "image" and not train.has_text.any():
        if config.modality == "text":
            raise UserError("classifier.modality is text, but no text has any words.")
        progress("No text has any words: only images are used.")
    return ClassificationTask(train, names, image_encoder, masked_words, test, info)


def _build_caption_filler(config):
    if not config.fill_captions:
        return None
    if config.modality == "image":
        raise UserError(
            "Captions are made for classifiers of texts. Received:"
            f" classifier.fill_captions={config.fill_captions} and"
            " classifier.modality=image"
        )
    return CaptionFiller(config.fill_captions)


def _mask_label_words(splits, label_names, progress):
    words = label_words(label_names)
    progress(f"Words that name a class are removed: {', '.join(words)}")
    for examples in splits:
        examples.texts = [mask_label_words(texts, words) for texts in examples.texts]
    return words


def check_settings(settings: Settings) -> None:
    """Rejects settings of classifiers that do not fit together.

    Args:
        settings: the sections `data` and `classifier`.

    Raises:
        UserError: `data.several_labels` is `"all"` without `classifier.multi_label`, or
            `classifier.balance` is set with it.
    """
    if settings.classifier.multi_label and settings.classifier.balance:
        raise UserError(
            "--balance is for classifiers of one label for each pair, and not for"
            " --multi-label. Received: classifier.balance=true and"
            " classifier.multi_label=true"
        )
    if settings.data.several_labels == "all" and not settings.classifier.multi_label:
        raise UserError(
            "data.several_labels is all, but a classifier of one label for each pair"
            " takes one. Train with --multi-label, or keep the first label with"
            " data.several_labels=first."
        )


def data_config(settings: Settings, image_size: int | None = None) -> DataConfig:
    """Returns the settings of the data that a classifier reads.

    Args:
        settings: the sections `data` and `classifier`.
        image_size: side of the images in pixels; None for that of the settings.
    """
    update: dict[str, Any] = {"keep_uncaptioned": True}
    if settings.classifier.multi_label:
        update["several_labels"] = "all"
    if image_size is not None:
        update["image_size"] = image_size
    return settings.data.model_copy(update=update)


def _require_classes(counts, names):
    if np.count_nonzero(counts) < 2:
        received = names[counts.argmax()] if counts.any() else "no images"
        raise UserError(
            "A classifier needs training images of at least two classes. Received:"
            f" {received}"
        )


def _report_rare_classes(counts, names, progress):
    rare = [name for name, count in zip(names, counts, strict=True) if count < 2]
    if rare:
        more = f" and {len(rare) - MAX_NAMES} more" if len(rare) > MAX_NAMES else ""
        progress(
            "Classes with fewer than two training images:"
            f" {', '.join(rare[:MAX_NAMES])}{more}. Remove small classes with"
            " data.label_minimum."
        )


def resolve_backbone(name: str) -> str:
    """Resolves the backbone `"auto"`.

    Args:
        name: `"auto"`, or another name, which is returned unchanged.

    Returns:
        For `"auto"`: `"efficientnet-lite0"` if its weights are installed, otherwise
        `"conv"`.
    """
    if name != "auto":
        return name
    return "efficientnet-lite0" if is_installed() else "conv"


def build_frozen_encoder(backbone: str, weights: str) -> keras.Model | None:
    """Builds the image encoder of a backbone, if it is pretrained.

    Args:
        backbone: `"auto"`, or see `build_image_encoder`.
        weights: `"imagenet"`, `"none"`, or the path of a file.

    Returns:
        A `keras.Model` that takes images of `BACKBONE_IMAGE_SIZE` pixels; None if the
        backbone is trained together with the classifier.
    """
    backbone = resolve_backbone(backbone)
    if backbone == "conv" or weights == "none":
        return None
    return build_image_encoder(backbone, BACKBONE_IMAGE_SIZE, weights)


def _load_examples(
    split: Split,
    image_encoder: keras.Model | None,
    backbone: str,
    weights: str,
    num_classes: int | None = None,
) -> PairExamples:
    """Loads examples; with `num_classes`, they have any number of labels."""
    # `Classifier` cleans texts in the same way.
    texts = [mask_label_words(captions, []) for captions in split.captions]
    if image_encoder is None:
        images = split.images
    else:
        images = average_pool(
            cached_features(image_encoder, backbone, split, weights=weights)
        )
    if num_classes is None:
        labels = np.array([], np.int64) if split.labels is None else split.labels
    else:
        labels = multi_hot(split.label_lists or (), num_classes)
    return PairExamples(list(split.ids), images, texts, labels, groups=split.groups)
