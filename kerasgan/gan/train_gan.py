"""Trains a GAN from settings into a run directory (paper A)."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from kerasgan.config.settings import Settings
from kerasgan.data import load_data
from kerasgan.data.pipeline import Pairs, Split
from kerasgan.data.text import load_or_build_vectorizer, tokenize
from kerasgan.encoders.precision import dtype_policy_scope
from kerasgan.errors import UserError
from kerasgan.files import write_json
from kerasgan.gan.augmentation import AUGMENTATIONS
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.gan import GAN
from kerasgan.gan.gan_diagnostics import GanDiagnostics
from kerasgan.gan.generator import build_generator
from kerasgan.gan.image_generator import ImageGenerator
from kerasgan.gan.pair_dataset import PairDataset, to_grayscale
from kerasgan.gan.projected_branch import check_weights
from kerasgan.runs import Run, run_for
from kerasgan.training.allocator import retain_freed_memory
from kerasgan.training.callbacks import (
    EpochCheckpoint,
    ImageGrid,
    JsonLinesLogger,
    ProgressBar,
    StopOnNonFinite,
    TimeLimit,
)
from kerasgan.training.checkpoints import load_checkpoint
from kerasgan.training.devices import can_jit_compile, distribution_strategy

FEW_IMAGES = 2000  # that D would memorize


def train_gan(
    settings: Settings | None = None, run: Run | None = None, progress: bool = True
) -> ImageGenerator:
    """Trains a GAN on captioned images, or continues training.

    Args:
        settings: all options; None: the run's, or the defaults, which train on the
            embedded data set.
        run: an empty run directory, or one to continue from its last checkpoint; None
            makes the next one under `runs/`.
        progress: whether a progress bar and messages are shown on standard error.

    Returns:
        The trained `ImageGenerator`, which is also saved in the run directory.

    Raises:
        UserError: the settings do not fit together, or do not fit the data.
        JobError: a loss is not finite, or no checkpoint can be read.
    """
    settings, run = run_for("train-gan", settings, run)
    retain_freed_memory()
    with dtype_policy_scope(settings.training.precision):
        return _train(settings, run, progress)


def _train(settings, run, progress):
    _check(settings)  # before minutes of preparing images
    strategy = distribution_strategy(settings.training.device)
    pairs = load_data(settings.data, progress=progress)
    run.write_data(pairs.info)
    gan, dataset, batch_size = prepare_training(settings, run, pairs.train, strategy)
    image_generator = ImageGenerator(
        gan.ema_generator, gan.discriminator, gan.vectorizer
    )
    variables = [
        *gan.variables,
        *gan.g_optimizer.variables,
        *gan.d_optimizer.variables,
    ]
    done = load_checkpoint(run.checkpoints, variables) or {"epoch": 0, "seconds": 0.0}
    run.truncate_metrics(done["epoch"])
    training = settings.training
    time_limit = TimeLimit(training.minutes, done["seconds"], batch_size)
    if done["epoch"] < training.epochs and not time_limit.is_reached:
        progress_bar = ProgressBar(["g_loss", "d_loss", "value"], show=progress)
        try:
            gan.fit(
                dataset.batches(batch_size, training.seed, done["epoch"] + 1),
                steps_per_epoch=dataset.steps(batch_size),
                initial_epoch=done["epoch"],
                epochs=training.epochs,
                verbose=0,
                shuffle=False,
                callbacks=[
                    time_limit,
                    StopOnNonFinite("images", training.precision),
                    _image_grid(settings, run, pairs, gan.conditional),
                    JsonLinesLogger(run.path / "metrics.jsonl"),
                    keras.callbacks.TensorBoard(run.tensorboard, write_graph=False),
                    progress_bar,
                    GanDiagnostics(
                        progress_bar.console, settings.gan.loss == "wasserstein-gp"
                    ),
                    EpochCheckpoint(
                        run.checkpoints,
                        variables,
                        lambda: {"seconds": time_limit.seconds},
                    ),
                ],
            )
        except KeyboardInterrupt:
            image_generator.save(run)
            raise
        finally:
            progress_bar.close()
    image_generator.save(run)
    return image_generator


def prepare_training(
    settings: Settings, run: Run, train: Split, strategy: tf.distribute.Strategy
) -> tuple[GAN, PairDataset, int]:
    """Resolves what settings leave open, and builds the GAN and its data.

    Args:
        settings: all options.
        run: stores the vocabulary and the resolved options.
        train: the training split.
        strategy: the result of `distribution_strategy`.

    Returns:
        A compiled `GAN`, its data, and the batch size.
    """
    conditional = _is_conditional(settings, train)
    vectorizer = _vectorizer(settings, run, train) if conditional else None
    dataset = _pair_dataset(settings, train, vectorizer)
    batch_size = _batch_size(settings, dataset, strategy.num_replicas_in_sync)
    augmentation = _augmentation(settings, dataset)
    resolved = {"gan.conditional": conditional, "gan.augmentation": augmentation}
    run.write_options("train-gan", settings, resolved)
    options = settings.gan.model_copy(update={"augmentation": augmentation})
    settings = settings.model_copy(update={"gan": options})
    with strategy.scope():
        gan = build_gan(settings, vectorizer, can_jit_compile(strategy))
    return gan, dataset, batch_size


def build_gan(
    settings: Settings,
    vectorizer: keras.layers.Layer | None = None,
    jit_compile: bool = False,
) -> GAN:
    """Builds and compiles the GAN that settings describe.

    Args:
        settings: all options.
        vectorizer: tokenizes the captions; None trains without captions.
        jit_compile: whether XLA compiles the training step.

    Returns:
        A compiled `GAN`.
    """
    _check(settings)
    gan, training = settings.gan, settings.training
    keras.utils.set_random_seed(training.seed)
    size, channels = settings.data.image_size, 3 if gan.channels == "rgb" else 1
    generator = build_generator(
        *(size, channels, gan.latent_dim, gan.generator_filters, gan.max_filters),
        text_dim=None if vectorizer is None else gan.text_dim,
        architecture=gan.generator,
    )
    discriminator = build_discriminator(
        size,
        channels,
        gan.discriminator_filters,
        gan.max_filters,
        vocabulary_size=None if vectorizer is None else vectorizer.vocabulary_size(),
        caption_length=gan.caption_length,
        text_dim=gan.text_dim,
        text_branch=gan.text_branch,
        spectral_normalization=gan.spectral_normalization,
        backbone=gan.backbone if gan.discriminator == "projected" else None,
    )
    model = GAN(
        generator,
        discriminator,
        vectorizer,
        loss=gan.loss,
        order=gan.order,
        r1=gan.r1,
        r1_interval=gan.r1_interval,
        augmentation=gan.augmentation or (),
        contrastive_weight=gan.contrastive_weight,
        diversity_weight=gan.diversity_weight,
        ema_half_life=gan.ema_half_life,
        seed=training.seed,
    )
    rates = (training.learning_rate, training.beta_1, training.beta_2)
    model.compile(
        keras.optimizers.Adam(*rates),
        keras.optimizers.Adam(*rates),
        jit_compile=jit_compile,
    )
    return model


def _check(settings):
    """Rejects settings with which no GAN can be built."""
    size = settings.data.image_size
    if size & (size - 1) or size < 8:
        raise UserError(
            "The generator needs an image size that is a power of two, at least 8."
            f" Received: data.image_size={size}"
        )
    gan, precision = settings.gan, settings.training.precision
    is_projected = gan.discriminator == "projected"
    if (gan.spectral_normalization or is_projected) and precision != "float32":
        raise UserError(
            "gan.spectral_normalization and gan.discriminator=projected need"
            " training.precision=float32: Keras's layer would round the kernels to"
            f" bfloat16 at every step. Received: training.precision={precision}"
        )
    if is_projected:
        check_weights(gan.backbone)


def _is_conditional(settings, train):
    has_captions = any(any(captions) for captions in train.captions)
    if settings.gan.conditional and not has_captions:
        raise UserError("gan.conditional is true, but the images have no captions.")
    conditional = settings.gan.conditional
    return has_captions if conditional is None else conditional


def _vectorizer(settings, run, train):
    captions = [caption for group in train.captions for caption in group]
    sizes = settings.gan.vocabulary_size, settings.gan.caption_length
    return load_or_build_vectorizer(run.models / "vocabulary.txt", *sizes, captions)


def _pair_dataset(settings, train, vectorizer):
    grayscale = settings.gan.channels == "grayscale"
    images = to_grayscale(train.images) if grayscale else train.images
    if vectorizer is None:
        return PairDataset(images)
    groups = [captions or [""] for captions in train.captions]
    token_ids = tokenize(vectorizer, [text for group in groups for text in group])
    ends = np.cumsum([len(group) for group in groups])
    return PairDataset(images, np.split(token_ids, ends[:-1]))


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
