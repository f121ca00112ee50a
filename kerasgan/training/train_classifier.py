"""Paper B: from settings to a run that tells classes by pictures and words."""

import time
from dataclasses import dataclass

import keras
import numpy as np

from kerasgan.config import Settings
from kerasgan.data import load_data
from kerasgan.data.label_words import label_words, mask_label_words
from kerasgan.data.text import build_vectorizer
from kerasgan.errors import UserError
from kerasgan.models.backbones import is_installed
from kerasgan.models.classifier import (
    build_classifier,
    build_conv_branch,
    build_eye_branch,
    build_feature_branch,
)
from kerasgan.models.eye import BACKBONE_SIZE, build_eye
from kerasgan.models.precision import computed_in
from kerasgan.models.text_branch import build_text_branch
from kerasgan.runs import Run, run_for
from kerasgan.training.examples import MOST_CAPTIONS, Examples
from kerasgan.training.fitting import Trainer
from kerasgan.training.memory import keep_memory
from kerasgan.training.parts import ANALYZERS, LinearPart, NetworkPart, fit_pool
from kerasgan.training.seeing import cached_grids, pooled
from kerasgan.training.serving import FittedNetwork, FittedPool
from kerasgan.training.trained_classifier import Classifier


@dataclass
class Task:
    """What is to be told apart, and from what.

    Attributes:
        train, test: `Examples`.
        label_names: class names in the order of their numbers.
        eye: the frozen backbone, or None where pictures are looked at as they are.
        masked: the words left out of the texts because they name a class.
        info: the data set's account, `Pairs.info`.
    """

    train: Examples
    test: Examples
    label_names: list[str]
    eye: keras.Model | None
    masked: list[str]
    info: dict


def train_classifier(
    settings: Settings | None = None, run: Run | None = None, progress=print
):
    """Trains paper B's classifier, or ours.

    Args:
        settings: everything that can be chosen; None: the run's, or the defaults.
        run: a run directory; None makes the next under `runs/`.
        progress: called with a line for a person now and then.

    Returns:
        The trained `Classifier`; the same is in the run directory.

    Raises:
        UserError: when the data have no classes, or only one, or no words where words
            are all that is to be read.
    """
    settings, run = run_for("train-classifier", settings, run)
    keep_memory()
    run.write_options("train-classifier", settings)
    task = load_task(settings, settings.classifier.modality != "text", progress)
    run.write_data(task.info)
    start = time.perf_counter()
    fitted = train_one(settings, task, progress)
    classifier = as_classifier(fitted, task, time.perf_counter() - start)
    classifier.save(run)
    return classifier


def as_classifier(fitted, task, seconds=None):
    """What `train_one` returned, ready to be saved and to be used on new pairs."""
    return Classifier(
        fitted.serve(), task.label_names, task.masked, fitted.weights, seconds
    )


def load_task(settings, looks=True, progress=print):
    """Reads the data that the settings describe.

    Args:
        looks: whether pictures are looked at; a frozen backbone takes its time.

    Returns:
        A `Task`.
    """
    options = settings.classifier
    backbone, eye = chosen_backbone(options.backbone), None
    if looks and backbone != "conv" and options.weights != "none":
        eye = build_eye(backbone, BACKBONE_SIZE, options.weights)
    size = settings.data.image_size if eye is None else BACKBONE_SIZE
    update = {"keep_captionless": True, "image_size": size}
    pairs = load_data(settings.data.model_copy(update=update))
    names = pairs.label_names
    if not names:
        raise UserError(
            "A classifier needs classes, and the data have none. A table needs a column"
            " of labels (--label-column NAME)."
        )
    sides = pairs.train, pairs.test
    train, test = (_examples(side, eye, backbone, options.weights) for side in sides)
    if len(np.unique(train.labels)) < 2:
        raise UserError(
            "All training pictures are of one class"
            f" ({names[train.labels[0]] if len(train) else 'there are none'}); there is"
            " nothing to tell apart."
        )
    _tell_rare(train.labels, names, progress)
    masked = []
    if options.mask_label_words:
        masked = label_words(names)
        progress(f"Words that name a class, left out of the texts: {', '.join(masked)}")
        for side in (train, test):
            side.texts = [mask_label_words(texts, masked) for texts in side.texts]
    if options.modality != "image" and not train.has_text.any():
        if options.modality == "text":
            raise UserError("classifier.modality is text, but no text has any words.")
        progress("No text has any words: pictures alone are learnt from.")
    return Task(train, test, names, eye, masked, pairs.info)


def _tell_rare(labels, names, progress):
    counts = np.bincount(labels, minlength=len(names))
    rare = [name for name, count in zip(names, counts) if count < 2]
    if rare:
        more = f" and {len(rare) - 10} others" if len(rare) > 10 else ""
        progress(
            f"Classes with one training picture or none: {', '.join(rare[:10])}{more}."
            " (data.label_minimum leaves small classes out.)"
        )


def chosen_backbone(name):
    """What `auto` stands for on this machine; other names are what they are."""
    if name != "auto":
        return name
    return "efficientnet-lite0" if is_installed() else "conv"


def _examples(split, eye, backbone, weights):
    # Cleaned as texts are that are asked about later.
    texts = [mask_label_words(own, []) for own in split.captions]
    if eye is None:
        pictures = split.images
    else:
        pictures = pooled(cached_grids(eye, backbone, split, weights=weights))
    return Examples(list(split.ids), pictures, texts, split.labels)


def train_one(settings, task, progress=print):
    """Trains what the section `classifier` of the settings describes.

    Returns:
        A `FittedNetwork` or a `FittedPool`.
    """
    options = settings.classifier
    keras.utils.set_random_seed(settings.training.seed)
    reads = options.modality != "image" and task.train.has_text.any()
    vectorizer = _vectorizer(options, task.train) if reads else None
    for side in (task.train, task.test):
        side.tokenize(vectorizer)
    with computed_in(settings.training.precision):
        return _fitted(settings, task, vectorizer, [EpochLines(progress)])


def _fitted(settings, task, vectorizer, lines):
    options = settings.classifier
    if options.fusion == "ours":
        parts = _parts(options, task, vectorizer, lines)
        pool = fit_pool(parts, task.train, options, settings.training.seed)
        return FittedPool(pool, task.eye, vectorizer, _size(task))
    network = build_classifier(
        len(task.label_names),
        _picture_branch(options, task) if options.modality != "text" else None,
        _text_branch(options, vectorizer) if vectorizer else None,
        options.dropout,
    )
    trainer = Trainer(network, options)
    trainer.fit_to_best(task.train, lines)
    return FittedNetwork(trainer, task.eye, vectorizer, _size(task))


def _vectorizer(options, examples):
    texts = [text for texts in examples.texts for text in texts[:MOST_CAPTIONS]]
    return build_vectorizer(texts, None, options.vocabulary_size, options.text_length)


def _size(task):
    return BACKBONE_SIZE if task.eye is not None else task.train.pictures.shape[1]


def _picture_branch(options, task):
    if task.eye is not None:
        return build_feature_branch(task.train.pictures.shape[1], options.image_dim)
    backbone, size = chosen_backbone(options.backbone), _size(task)
    if backbone == "conv" and options.fusion == "paper":
        return build_conv_branch(size, options.filters, options.image_dim)
    eye = build_eye(backbone, size, None, options.eye_filters)
    return build_eye_branch(eye, options.augment)


def _text_branch(options, vectorizer):
    kind = "lstm-attention" if options.attention else "lstm"
    words = vectorizer.vocabulary_size()
    return build_text_branch(words, None, options.text_dim, kind)


def _parts(options, task, vectorizer, lines):
    """Ours, by name: what looks, what reads in order, what counts words and pieces,
    what weighs these beside a picture's features, and the paper's pair, which may know
    what comes of both together."""
    classes, parts = len(task.label_names), {}
    looks, reads = options.modality != "text", vectorizer is not None
    paper = options.model_copy(update={"fusion": "paper"})
    eye = options
    if task.eye is None:
        eye = eye.model_copy(update={"learning_rate": eye.eye_learning_rate})

    def network(modality, chosen, *branches):
        names = {"picture": "looking", "text": "reading", "pair": "both"}
        built = build_classifier(classes, *branches, chosen.dropout, names[modality])
        return NetworkPart(modality, built, chosen, lines)

    for name in options.parts:
        if name == "picture" and looks:
            parts[name] = network("picture", eye, _picture_branch(eye, task), None)
        elif name == "lstm" and reads:
            parts[name] = network(
                "text", options, None, _text_branch(options, vectorizer)
            )
        elif name in ANALYZERS and reads:
            parts[name] = LinearPart("text", name, [name], classes)
        elif name == "wide" and looks and reads and task.eye is not None:
            parts[name] = LinearPart("pair", name, list(ANALYZERS), classes)
        elif name == "pair" and looks and reads:
            branches = _picture_branch(paper, task), _text_branch(options, vectorizer)
            parts[name] = network("pair", paper, *branches)
    missing = {"picture", "text"} - {part.modality for part in parts.values()}
    if missing and any(part.modality == "pair" for part in parts.values()):
        raise UserError(
            f"classifier.parts {', '.join(options.parts)}: a part for both sides needs"
            f" one for the {' and one for the '.join(sorted(missing))} beside it, which"
            " answers where the other side is missing."
        )
    if not parts:
        raise UserError(
            f"classifier.parts {', '.join(options.parts)}: the data have nothing for"
            f" them with classifier.modality {options.modality}."
        )
    return parts


class EpochLines(keras.callbacks.Callback):
    """Tells of each epoch in a line."""

    def __init__(self, progress):
        super().__init__()
        self.progress = progress

    def on_epoch_end(self, epoch, logs=None):
        shown = ", ".join(f"{name} {value:.3f}" for name, value in logs.items())
        self.progress(f"  epoch {epoch + 1}/{self.params['epochs']}: {shown}")
