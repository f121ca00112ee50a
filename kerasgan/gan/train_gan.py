"""Trains a GAN or VAE from settings into a run directory (paper A)."""

import functools
import itertools
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from kerasgan.config.settings import Settings
from kerasgan.data import load_data
from kerasgan.data.pipeline import Pairs, Split
from kerasgan.data.shards import explain_read_errors
from kerasgan.encoders.pooled_features import pooled_features
from kerasgan.encoders.precision import dtype_policy_scope
from kerasgan.errors import UserError
from kerasgan.files import write_json
from kerasgan.gan.augmentation import AUGMENTATIONS
from kerasgan.gan.build_gan import build_gan
from kerasgan.gan.gan import GAN
from kerasgan.gan.gan_diagnostics import GanDiagnostics
from kerasgan.gan.gan_settings import choose_batch, resolve_for_run
from kerasgan.gan.image_generator import ImageGenerator
from kerasgan.gan.pair_dataset import (
    PairDataset,
    StoredPairDataset,
    hold_out,
    to_grayscale,
)
from kerasgan.gan.served_pair_dataset import ServedPairDataset
from kerasgan.gan.vae import VAE
from kerasgan.layers.text_vectorization import load_or_build_vectorizer, tokenize
from kerasgan.runs import Run, training_run
from kerasgan.training.allocator import retain_freed_memory
from kerasgan.training.callbacks import (
    EpochCheckpoint,
    ImageGrid,
    ImageKid,
    JsonLinesLogger,
    ProgressBar,
    StopOnNonFinite,
    TimeLimit,
)
from kerasgan.training.checkpoints import load_checkpoint
from kerasgan.training.determinism import use_determinism
from kerasgan.training.devices import use_device
from kerasgan.training.memory_errors import explain_memory_errors
from kerasgan.training.replicas import shard_batches
from kerasgan.training.worker_agreement import require_agreement, worker_failures

FEW_IMAGES = 2000  # that D would memorize
RESUME = "Start all workers again with --resume: the last checkpoint is kept."


def train_gan(
    settings: Settings | None = None, run: Run | None = None, progress: bool = True
) -> ImageGenerator:
    """Trains a GAN or VAE on captioned images, or continues training.

    Args:
        settings: all options; None: the run's, or the defaults, which train on the
            embedded data set.
        run: an empty run directory, or one to continue from its last checkpoint; None
            makes the next one under `runs/`.
        progress: whether a progress bar and messages are shown on standard error.

    Returns:
        The trained `ImageGenerator`, which is also saved in the run directory.

    Raises:
        UserError: the settings do not fit together, or do not fit the data; or another
            process trains the run.
        JobError: a loss is not finite, or no checkpoint can be read.
    """
    with training_run("train-gan", settings, run) as (settings, run):
        settings = resolve_for_run(settings, run)
        use_determinism(settings, "images")
        retain_freed_memory()
        with dtype_policy_scope(settings.training.precision):
            return _train(settings, run, progress)


def _train(settings, run, progress):
    strategy = use_device(settings.training)
    pairs = load_data(settings.data, progress=progress)
    run.write_data(pairs.info)
    pairs.print_memory_note(progress)
    with worker_failures(strategy, RESUME):
        require_agreement(
            *(strategy, settings, pairs.train.ids, pairs.train.captions),
            pairs.info["content"],
        )
    share, seed = settings.gan.validation, settings.data.seed
    rows, validation_rows = hold_out(pairs.train.groups, share, seed)
    gan, dataset, batch_size = prepare_training(
        settings, run, pairs.train, strategy, rows
    )
    settings = run.resolved_settings
    image_kid = _image_kid(settings, gan, pairs.train, validation_rows)
    variables = [*gan.training_variables(), *(image_kid.variables if image_kid else ())]
    done = load_checkpoint(run.checkpoints, variables) or {"epoch": 0, "seconds": 0.0}
    run.truncate_metrics(done["epoch"])
    training = settings.training
    time_limit = TimeLimit(training.minutes, done["seconds"], batch_size)
    shown = [metric.name for metric in gan.metrics[:3]]
    progress_bar = ProgressBar(shown, show=progress)
    callbacks = [
        time_limit,
        StopOnNonFinite("images", training.precision),
        _image_grid(settings, run, pairs, gan.conditional),
        *([image_kid] if image_kid else ()),
        JsonLinesLogger(run.path / "metrics.jsonl"),
        keras.callbacks.TensorBoard(run.tensorboard, write_graph=False),
        progress_bar,
        GanDiagnostics(progress_bar.console, settings.gan.loss == "wasserstein-gp"),
        EpochCheckpoint(
            run.checkpoints, variables, lambda: {"seconds": time_limit.seconds}
        ),
    ]
    try:
        if done["epoch"] < training.epochs and not time_limit.is_reached:
            with worker_failures(strategy, RESUME):
                _fit(gan, dataset, batch_size, training, done["epoch"], callbacks)
    except KeyboardInterrupt:
        _save(gan, image_kid, run)
        raise
    finally:
        progress_bar.close()
    return _save(gan, image_kid, run)


def _fit(gan, dataset, batch_size, training, epoch, callbacks):
    batches = shard_batches(dataset.batches(batch_size, training.seed, epoch + 1))
    place = "images", "training.batch_size"
    with explain_read_errors(dataset), explain_memory_errors(gan, batches, *place):
        gan.fit(
            batches,
            steps_per_epoch=dataset.steps(batch_size),
            initial_epoch=epoch,
            epochs=training.epochs,
            verbose=0,
            shuffle=False,
            callbacks=callbacks,
        )


def _save(gan, image_kid, run):
    """Saves the networks of the best epoch."""
    if image_kid:
        image_kid.restore_best()
    image_generator = gan.image_generator()
    networks = image_generator.generator, image_generator.counterpart
    weights = itertools.chain(*(network.get_weights() for network in networks))
    if all(np.isfinite(weight).all() for weight in weights):
        image_generator.save(run)  # else Ctrl-C came before StopOnNonFinite
    return image_generator


def prepare_training(
    settings: Settings,
    run: Run,
    train: Split,
    strategy: tf.distribute.Strategy,
    rows: np.ndarray | None = None,
) -> tuple[GAN | VAE, PairDataset, int]:
    """Resolves what settings leave open, and builds the model and its data.

    Args:
        settings: all options.
        run: stores the vocabulary and the resolved options.
        train: the training split.
        strategy: the result of `distribution_strategy`.
        rows: of the split that are trained with; None for all.

    Returns:
        A compiled `GAN` or `VAE`, its data, and the batch size.
    """
    conditional = _is_conditional(settings, train)
    vectorizer = _vectorizer(settings, run, train) if conditional else None
    dataset = _pair_dataset(settings, train, vectorizer, rows)
    batch_size = _batch_size(settings, dataset, strategy.num_replicas_in_sync)
    # Few images may make a smaller batch than was chosen before they were read.
    asked = run.settings.training.model_copy(update={"batch_size": batch_size})
    chosen: dict[str, object] = {
        "gan.conditional": conditional,
        "training.batch_size": batch_size,
        **choose_batch(asked),
    }
    if settings.gan.model == "gan":
        chosen["gan.augmentation"] = _augmentation(settings, dataset)
    run.update_options(chosen=chosen)
    with strategy.scope():
        gan = build_gan(run.resolved_settings, vectorizer, strategy)
    return gan, dataset, batch_size


def _image_kid(settings, gan, train, rows):
    """The callback that keeps the best epoch; None without images or weights for it."""
    backbone = settings.gan.backbone
    if not len(rows):
        return None
    networks = gan.image_generator()
    # G is trained to have the features that D sees; those of enlarged images say more.
    scale = 2 if settings.gan.discriminator == "projected" else 1
    images = train.images[rows]
    if settings.gan.channels == "grayscale":
        images = to_grayscale(images)
    captions = [(train.captions[row] or [""])[0] for row in rows]
    return ImageKid(
        functools.partial(pooled_features, backbone=backbone, scale=scale),
        images,
        [*networks.generator.variables, *networks.counterpart.variables],
        captions if gan.conditional else None,
        every=settings.training.grid_every,
    )


def _is_conditional(settings, train):
    has_captions = any(any(captions) for captions in train.captions)
    if settings.gan.conditional and not has_captions:
        raise UserError("gan.conditional is true, but the images have no captions.")
    conditional = settings.gan.conditional
    return has_captions if conditional is None else conditional


def _vectorizer(settings, run, train):
    captions = itertools.chain.from_iterable(train.captions)
    sizes = settings.gan.vocabulary_size, settings.gan.caption_length
    path = run.models / "vocabulary.txt"
    vectorizer = load_or_build_vectorizer(path, *sizes, captions)
    run.check_file("models/vocabulary.txt", record=True)
    return vectorizer


def _pair_dataset(settings, train, vectorizer, rows):
    grayscale = settings.gan.channels == "grayscale"
    images = to_grayscale(train.images) if grayscale else train.images
    if not train.in_memory:
        counts = None if vectorizer is None else np.maximum(train.captions.counts, 1)
        stored = images, counts, vectorizer, rows
        if settings.data.service:
            return ServedPairDataset(settings.data.service, *stored)
        return StoredPairDataset(*stored)
    if vectorizer is None:
        return PairDataset(images, rows=rows)
    groups = [captions or [""] for captions in train.captions]
    token_ids = tokenize(vectorizer, [text for group in groups for text in group])
    ends = np.cumsum([len(group) for group in groups])
    return PairDataset(images, np.split(token_ids, ends[:-1]), rows)


def _image_grid(settings: Settings, run: Run, pairs: Pairs, conditional: bool):
    """The callback that draws test images' captions, or noise."""
    size = settings.training.grid
    split = _shown_split(pairs, conditional)
    captions: Sequence[str] | None = None
    images = split.images[: size * size]
    if conditional:
        rows = [row for row, group in enumerate(split.captions) if group][:size]
        captions = [split.captions[row][0] for row in rows]
        images = split.images[rows]
        write_json(run.images / "captions.json", captions)
    return ImageGrid(
        run.images,
        captions,
        images,
        rows=size,
        columns=size,
        every=settings.training.grid_every,
        log_dir=run.tensorboard / "train",  # where Keras writes the metrics
    )


def _shown_split(pairs, conditional):
    """The test split, or the training split where that has nothing to show."""
    has_content = any(pairs.test.captions) if conditional else pairs.test.ids
    return pairs.test if has_content else pairs.train


def _augmentation(settings, dataset):
    """The augmentation of the settings, chosen by the data where they leave it open."""
    if settings.gan.augmentation is not None:
        return settings.gan.augmentation
    return list(AUGMENTATIONS) if dataset.count < FEW_IMAGES else []


def _batch_size(settings, dataset, replicas):
    """The batch size, at most the number of images, and even on each replica."""
    multiple = 2 * replicas
    batch_size = min(settings.training.batch_size, dataset.count) // multiple * multiple
    if not batch_size:
        raise UserError(
            f"A training step needs at least {multiple} images. Received:"
            f" {dataset.count} training images,"
            f" training.batch_size={settings.training.batch_size}"
        )
    return batch_size
