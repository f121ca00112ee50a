"""Paper A's training: from settings to a run directory with a trained generator."""

import keras
import numpy as np

from kerasgan.config.settings import Settings
from kerasgan.data import load_data
from kerasgan.data.text import stored_vectorizer, tokenize
from kerasgan.encoders.precision import dtype_policy_scope
from kerasgan.errors import UserError
from kerasgan.gan.augmentation import AUGMENTATIONS
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.gan import GAN
from kerasgan.gan.generator import build_generator
from kerasgan.gan.image_generator import ImageGenerator
from kerasgan.gan.pair_dataset import PairDataset, to_grayscale
from kerasgan.runs import Run, run_for
from kerasgan.training.allocator import retain_freed_memory
from kerasgan.training.checkpoints import load_checkpoint, save_checkpoint
from kerasgan.training.devices import can_jit_compile, distribution_strategy
from kerasgan.training.watching import Watch

FEW_IMAGES = 2000  # D would learn so few by heart


def train_gan(settings: Settings | None = None, run: Run | None = None, progress=True):
    """Trains a GAN on captioned images, or goes on training one.

    Args:
        settings: everything that can be chosen; None: the defaults, which train on
            the embedded data set.
        run: an empty run directory, or one to continue from its last checkpoint;
            None makes the next under `runs/`.
        progress: shows bars and messages on standard error.

    Returns:
        The trained `ImageGenerator`; the same is in the run directory.

    Raises:
        UserError: for settings that do not go together or with the data.
    """
    settings, run = run_for("train-gan", settings, run)
    retain_freed_memory()
    with dtype_policy_scope(settings.training.precision):
        return _train(settings, run, progress)


def _train(settings, run, progress):
    _check(settings)  # before minutes of preparing images
    place = distribution_strategy(settings.training.device)
    pairs = load_data(settings.data, progress=progress)
    run.write_data(pairs.info)
    gan, feed, vectorizer = prepare_training(settings, run, pairs.train, place)
    image_generator = ImageGenerator(gan.ema_generator, gan.discriminator, vectorizer)
    variables = [
        *gan.variables,
        *gan.g_optimizer.variables,
        *gan.d_optimizer.variables,
    ]
    done = load_checkpoint(run.checkpoints, variables) or {"epoch": 0, "seconds": 0.0}
    run.truncate_metrics(done["epoch"])
    show = _shown(pairs, gan.conditional)
    watch = Watch(settings, run, image_generator, show, done["seconds"], progress)
    try:
        with watch:
            for epoch in range(done["epoch"] + 1, settings.training.epochs + 1):
                if watch.time_is_up:
                    break
                batches = feed.batches(gan.batch_size, settings.training.seed, epoch)
                watch.fit(gan, batches, epoch)
                save_checkpoint(
                    run.checkpoints, epoch, variables, seconds=watch.seconds
                )
    except KeyboardInterrupt:
        image_generator.save(run)
        raise
    image_generator.save(run)
    return image_generator


def prepare_training(settings, run, train, place):
    """Makes what a run's settings leave open fit its data, and builds its game.

    Args:
        settings: a `Settings`.
        run: the `Run` that gets the vocabulary and what was chosen.
        train: the `Split` that trains.
        place: a `tf.distribute.Strategy`.

    Returns:
        A compiled `GAN`, a `PairDataset`, and what reads captions, None without.
    """
    conditional = _is_conditional(settings, train)
    vectorizer = _vectorizer(settings, run, train) if conditional else None
    feed = _pair_dataset(settings, train, vectorizer)
    batch_size = _batch_size(settings, feed, place.num_replicas_in_sync)
    augmentation = _augmentation(settings, feed)
    chosen = {"gan.conditional": conditional, "gan.augmentation": augmentation}
    run.write_options("train-gan", settings, chosen)
    game = settings.gan.model_copy(update={"augmentation": augmentation})
    settings = settings.model_copy(update={"gan": game})
    with place.scope():
        gan = build_gan(settings, vectorizer, batch_size, can_jit_compile(place))
    return gan, feed, vectorizer


def build_gan(settings, vectorizer=None, batch_size=64, jit_compile=False):
    """Builds both networks and their game, compiled.

    Args:
        settings: a `Settings`.
        vectorizer: what reads the captions; None trains without captions.
        batch_size: images a step.
        jit_compile: compiles the step by XLA.
    """
    _check(settings)
    gan, training = settings.gan, settings.training
    keras.utils.set_random_seed(training.seed)
    size, channels = settings.data.image_size, 3 if gan.channels == "rgb" else 1
    generator = build_generator(
        size,
        channels,
        gan.latent_dim,
        gan.generator_filters,
        gan.max_filters,
        text_dim=None if vectorizer is None else gan.text_dim,
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
    )
    model = GAN(generator, discriminator, gan, batch_size, seed=training.seed)
    rates = (training.learning_rate, training.beta_1, training.beta_2)
    model.compile(
        keras.optimizers.Adam(*rates),
        keras.optimizers.Adam(*rates),
        jit_compile=jit_compile,
    )
    return model


def _check(settings):
    """Refuses settings of which no GAN can be built."""
    size = settings.data.image_size
    if size & (size - 1) or size < 8:
        raise UserError(
            f"A GAN draws images whose side is a power of two from 8 up. Received:"
            f" data.image_size={size}"
        )
    precision = settings.training.precision
    if settings.gan.spectral_normalization and precision != "float32":
        raise UserError(
            "gan.spectral_normalization needs training.precision float32: Keras's layer"
            " would round its kernels to bfloat16 at every step."
        )


def _is_conditional(settings, train):
    captions = any(any(captions) for captions in train.captions)
    if settings.gan.conditional and not captions:
        raise UserError("gan.conditional is true, but the images have no captions.")
    return captions if settings.gan.conditional is None else settings.gan.conditional


def _vectorizer(settings, run, train):
    captions = [caption for group in train.captions for caption in group]
    sizes = settings.gan.vocabulary_size, settings.gan.caption_length
    return stored_vectorizer(run.models / "vocabulary.txt", *sizes, captions)


def _pair_dataset(settings, train, vectorizer):
    images = (
        to_grayscale(train.images)
        if settings.gan.channels == "grayscale"
        else train.images
    )
    if vectorizer is None:
        return PairDataset(images)
    groups = [captions or [""] for captions in train.captions]
    token_ids = tokenize(vectorizer, [text for group in groups for text in group])
    ends = np.cumsum([len(group) for group in groups])
    return PairDataset(images, np.split(token_ids, ends[:-1]))


def _shown(pairs, conditional):
    """The side that the grids show: training's where test has nothing to show."""
    shows = any(pairs.test.captions) if conditional else pairs.test.ids
    return pairs.test if shows else pairs.train


def _augmentation(settings, feed):
    """The settings' augmentation, chosen where they leave it open."""
    if settings.gan.augmentation is not None:
        return settings.gan.augmentation
    return list(AUGMENTATIONS) if feed.count < FEW_IMAGES else []


def _batch_size(settings, feed, replicas):
    """As asked, but no more than there are images, and even on every replica."""
    step = 2 * replicas
    batch_size = min(settings.training.batch_size, feed.count) // step * step
    if not batch_size:
        raise UserError(
            f"A step needs {step} images at least. Received: {feed.count} to train"
            f" on, training.batch_size={settings.training.batch_size}"
        )
    return batch_size
