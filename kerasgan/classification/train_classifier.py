"""Paper B: from settings to a run that tells classes by images and words."""

import time

import keras

from kerasgan.classification.classifier import Classifier
from kerasgan.classification.ensemble import fit_ensemble
from kerasgan.classification.examples import MAX_CAPTIONS
from kerasgan.classification.linear_member import ANALYZERS, LinearMember
from kerasgan.classification.network_member import NetworkMember
from kerasgan.classification.network_trainer import NetworkTrainer
from kerasgan.classification.networks import (
    build_classifier,
    build_conv_branch,
    build_encoder_branch,
    build_feature_branch,
)
from kerasgan.classification.task import load_task, resolve_backbone
from kerasgan.classification.trained_models import TrainedEnsemble, TrainedNetwork
from kerasgan.config.settings import Settings
from kerasgan.data.text import build_vectorizer
from kerasgan.encoders.image_encoder import BACKBONE_IMAGE_SIZE, build_image_encoder
from kerasgan.encoders.precision import dtype_policy_scope
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.errors import UserError
from kerasgan.runs import Run, run_for
from kerasgan.training.allocator import retain_freed_memory


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
    retain_freed_memory()
    run.write_options("train-classifier", settings)
    task = load_task(settings, settings.classifier.modality != "text", progress)
    run.write_data(task.info)
    start = time.perf_counter()
    fitted = train_model(settings, task, progress)
    classifier = to_classifier(fitted, task, time.perf_counter() - start)
    classifier.save(run)
    return classifier


def to_classifier(fitted, task, seconds=None):
    """What `train_model` returned, ready to be saved and to be used on new pairs."""
    return Classifier(
        fitted.serve(), task.label_names, task.masked, fitted.weights, seconds
    )


def train_model(settings, task, progress=print):
    """Trains what the section `classifier` of the settings describes.

    Returns:
        A `TrainedNetwork` or a `TrainedEnsemble`.
    """
    options = settings.classifier
    keras.utils.set_random_seed(settings.training.seed)
    reads = options.modality != "image" and task.train.has_text.any()
    vectorizer = _vectorizer(options, task.train) if reads else None
    for side in (task.train, task.test):
        side.tokenize(vectorizer)
    with dtype_policy_scope(settings.training.precision):
        return _trained(settings, task, vectorizer, [EpochPrinter(progress)])


def _trained(settings, task, vectorizer, lines):
    options = settings.classifier
    if options.fusion == "ensemble":
        parts = _members(options, task, vectorizer, lines)
        pool = fit_ensemble(parts, task.train, options, settings.training.seed)
        return TrainedEnsemble(pool, task.image_encoder, vectorizer, _size(task))
    network = build_classifier(
        len(task.label_names),
        _image_branch(options, task) if options.modality != "text" else None,
        _text_branch(options, vectorizer) if vectorizer else None,
        options.dropout,
    )
    trainer = NetworkTrainer(network, options)
    trainer.fit_to_best(task.train, lines)
    return TrainedNetwork(trainer, task.image_encoder, vectorizer, _size(task))


def _vectorizer(options, examples):
    texts = [text for texts in examples.texts for text in texts[:MAX_CAPTIONS]]
    return build_vectorizer(texts, None, options.vocabulary_size, options.text_length)


def _size(task):
    return (
        BACKBONE_IMAGE_SIZE
        if task.image_encoder is not None
        else task.train.images.shape[1]
    )


def _image_branch(options, task):
    if task.image_encoder is not None:
        return build_feature_branch(task.train.images.shape[1], options.image_dim)
    backbone, size = resolve_backbone(options.backbone), _size(task)
    if backbone == "conv" and options.fusion == "paper":
        return build_conv_branch(size, options.filters, options.image_dim)
    image_encoder = build_image_encoder(backbone, size, None, options.encoder_filters)
    return build_encoder_branch(image_encoder, options.augment)


def _text_branch(options, vectorizer):
    kind = "lstm-attention" if options.attention else "lstm"
    words = vectorizer.vocabulary_size()
    return build_text_branch(words, None, options.text_dim, kind)


def _members(options, task, vectorizer, lines):
    """Ours, by name: what looks, what reads in order, what counts words and pieces,
    what weighs these beside an image's features, and the paper's pair, which may know
    what comes of both together."""
    classes, parts = len(task.label_names), {}
    looks, reads = options.modality != "text", vectorizer is not None
    paper = options.model_copy(update={"fusion": "paper"})
    image_encoder = options
    if task.image_encoder is None:
        image_encoder = image_encoder.model_copy(
            update={"learning_rate": image_encoder.encoder_learning_rate}
        )

    def network(modality, chosen, *branches):
        names = {"image": "looking", "text": "reading", "pair": "both"}
        built = build_classifier(classes, *branches, chosen.dropout, names[modality])
        return NetworkMember(modality, built, chosen, lines)

    for name in options.members:
        if name == "image" and looks:
            parts[name] = network(
                "image", image_encoder, _image_branch(image_encoder, task), None
            )
        elif name == "lstm" and reads:
            parts[name] = network(
                "text", options, None, _text_branch(options, vectorizer)
            )
        elif name in ANALYZERS and reads:
            parts[name] = LinearMember("text", name, [name], classes)
        elif name == "wide" and looks and reads and task.image_encoder is not None:
            parts[name] = LinearMember("pair", name, list(ANALYZERS), classes)
        elif name == "pair" and looks and reads:
            branches = _image_branch(paper, task), _text_branch(options, vectorizer)
            parts[name] = network("pair", paper, *branches)
    missing = {"image", "text"} - {part.modality for part in parts.values()}
    if missing and any(part.modality == "pair" for part in parts.values()):
        raise UserError(
            f"classifier.members {', '.join(options.members)}: a part for both sides needs"
            f" one for the {' and one for the '.join(sorted(missing))} beside it, which"
            " answers where the other side is missing."
        )
    if not parts:
        raise UserError(
            f"classifier.members {', '.join(options.members)}: the data have nothing for"
            f" them with classifier.modality {options.modality}."
        )
    return parts


class EpochPrinter(keras.callbacks.Callback):
    """Tells of each epoch in a line."""

    def __init__(self, progress):
        super().__init__()
        self.progress = progress

    def on_epoch_end(self, epoch, logs=None):
        shown = ", ".join(f"{name} {value:.3f}" for name, value in logs.items())
        self.progress(f"  epoch {epoch + 1}/{self.params['epochs']}: {shown}")
