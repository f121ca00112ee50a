"""Trains paper B's classifier or the ensemble."""

import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from kerasgan.classification.classifier import Classifier
from kerasgan.classification.ensemble import fit_ensemble
from kerasgan.classification.examples import MAX_CAPTIONS
from kerasgan.classification.members import MemberBuilder
from kerasgan.classification.network_trainer import NetworkTrainer
from kerasgan.classification.scores import to_probabilities
from kerasgan.classification.task import ClassificationTask, load_task
from kerasgan.classification.thresholds import choose_thresholds
from kerasgan.classification.trained_models import TrainedEnsemble, TrainedNetwork
from kerasgan.config.settings import ClassifierConfig, Settings
from kerasgan.encoders.precision import dtype_policy_scope
from kerasgan.errors import UserError
from kerasgan.layers.text_vectorization import build_vectorizer
from kerasgan.runs import Run, training_run
from kerasgan.training.allocator import retain_freed_memory
from kerasgan.training.callbacks.epoch_printer import EpochPrinter
from kerasgan.training.determinism import use_determinism
from kerasgan.training.devices import use_device
from kerasgan.training.worker_agreement import require_agreement, worker_failures

RESUME = "Start all workers again with --resume, which keeps the finished rows."


def train_classifier(
    settings: Settings | None = None,
    run: Run | None = None,
    progress: Callable[[str], None] = print,
) -> Classifier:
    """Trains paper B's classifier or the ensemble, on a data set, into a run directory.

    `PairClassifier` trains the same on arrays.

    Args:
        settings: all settings; None for those of the run, or the defaults.
        run: a run directory; None for the next one under `runs/`.
        progress: called with each message.

    Returns:
        The trained `Classifier`, which is also saved in the run directory.

    Raises:
        UserError: the data have no classes, only one class, or no text although only
            texts are used; or another process trains the run.
        JobError: a loss is not finite.
    """
    with training_run("train-classifier", settings, run) as (settings, run):
        use_determinism(settings, "classifier")
        retain_freed_memory()
        task = load_task(settings, settings.classifier.modality != "text", progress)
        run.write_data(task.info)
        start = time.perf_counter()
        model = train_model(settings, task, progress)
        classifier = to_classifier(model, task, time.perf_counter() - start)
        classifier.save(run)
        return classifier


def train_model(
    settings: Settings,
    task: ClassificationTask,
    progress: Callable[[str], None] = print,
) -> TrainedNetwork | TrainedEnsemble:
    """Trains what the settings describe, see `fit_model`.

    Args:
        settings: the sections `classifier` and `training`.
        task: the result of `load_task`. Sets `token_ids` of its examples.
        progress: called with each message.

    Returns:
        The trained model.
    """
    training = settings.training
    strategy, train = use_device(training), task.train
    arguments = training.seed, training.precision, progress, strategy
    with worker_failures(strategy, RESUME):
        content = task.info.get("content")
        require_agreement(strategy, settings, train.ids, train.texts, content)
        model = fit_model(settings.classifier, task, *arguments)
    if task.test is not None:
        task.test.tokenize(model.vectorizer)
    return model


def fit_model(
    config: ClassifierConfig,
    task: ClassificationTask,
    seed: int = 0,
    precision: str = "float32",
    progress: Callable[[str], None] = print,
    strategy: tf.distribute.Strategy | None = None,
) -> TrainedNetwork | TrainedEnsemble:
    """Trains a network or an ensemble.

    Args:
        config: which model, and how it is trained.
        task: the classes and the training examples, whose `token_ids` are set.
        seed: seed of the folds and of `keras.utils.set_random_seed`.
        precision: see `dtype_policy_scope`.
        progress: called with the metrics of each epoch.
        strategy: the result of `distribution_strategy`; None for TensorFlow's default.

    Returns:
        A `TrainedEnsemble` if `config.fusion` is `"ensemble"`, otherwise a
        `TrainedNetwork`.

    Raises:
        UserError: the members do not suit the data, or thresholds need held-out pairs.
        JobError: a loss is not finite.
    """
    _check_threshold(config)
    keras.utils.set_random_seed(seed)
    use_text = config.modality != "image" and task.train.has_text.any()
    vectorizer = _build_vectorizer(config, task.train) if use_text else None
    task.train.tokenize(vectorizer)
    builder = MemberBuilder(config, task, vectorizer, [EpochPrinter(progress)])
    preprocessing = (task.image_encoder, vectorizer, builder.image_size)
    strategy = strategy or tf.distribute.get_strategy()
    with dtype_policy_scope(precision), strategy.scope():
        if config.fusion == "ensemble":
            members = builder.build_members()
            ensemble = fit_ensemble(members, task.train, config, seed)
            return TrainedEnsemble(ensemble, *preprocessing)
        trainer = NetworkTrainer(builder.build_network(), config)
        held_out = trainer.fit_single(task.train, builder.callbacks)
        thresholds = _network_thresholds(config, held_out, task.train.labels)
        return TrainedNetwork(trainer, *preprocessing, thresholds)


def _check_threshold(config):
    is_chosen = config.multi_label and config.threshold == "f1"
    if is_chosen and config.fusion == "paper" and config.patience is None:
        raise UserError(
            "classifier.threshold=f1 is chosen on held-out pairs, and with"
            " classifier.patience=null there are none. Set patience, or a threshold"
            " such as 0.5."
        )


def _network_thresholds(config, held_out, labels):
    """Returns the thresholds of a network; None if a pair has one label."""
    if not config.multi_label:
        return None
    rows, scores = held_out or (slice(0), np.zeros((0, labels.shape[1])))
    probabilities = to_probabilities(scores, multi_label=True)
    return choose_thresholds(config.threshold, probabilities, labels[rows])


def to_classifier(
    model: TrainedNetwork | TrainedEnsemble,
    task: ClassificationTask,
    training_seconds: float | None = None,
) -> Classifier:
    """Converts a trained model to a `Classifier`, which can be saved.

    Args:
        model: the result of `train_model` or `fit_model`.
        task: the task that it was trained on.
        training_seconds: duration of the training.

    Returns:
        A `Classifier`.
    """
    return Classifier(
        model.build_serving_model(),
        task.label_names,
        task.masked_words,
        model.member_weights,
        training_seconds,
        model.thresholds,
    )


def _build_vectorizer(config, examples):
    texts = [text for texts in examples.texts for text in texts[:MAX_CAPTIONS]]
    return build_vectorizer(texts, None, config.vocabulary_size, config.text_length)
