"""Builds the GAN that settings describe."""

import keras
import tensorflow as tf

from kerasgan.config.settings import Settings
from kerasgan.errors import UserError
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.gan import GAN
from kerasgan.gan.gan_settings import resolve_gan_settings
from kerasgan.gan.generator import build_generator
from kerasgan.training.devices import can_jit_compile


def build_gan(
    settings: Settings,
    vectorizer: keras.layers.Layer | None = None,
    strategy: tf.distribute.Strategy | None = None,
) -> GAN:
    """Builds and compiles the GAN that settings describe.

    Args:
        settings: all options.
        vectorizer: tokenizes the captions; None trains without captions.
        strategy: the strategy in whose scope this is called, for which XLA compiles
            the training step where it can.

    Returns:
        A compiled `GAN`.
    """
    check_gan_settings(settings)
    settings, _ = resolve_gan_settings(settings)
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
        r2=gan.r2,
        r1_interval=gan.r1_interval,
        augmentation=gan.augmentation or (),
        contrastive_weight=gan.contrastive_weight,
        diversity_weight=gan.diversity_weight,
        ema_half_life=gan.ema_half_life,
        seed=training.seed,
    )
    rates = (training.learning_rate, training.beta_1, training.beta_2)
    optimizers = (keras.optimizers.Adam(*rates) for _ in range(2))
    has_xla = bool(strategy) and can_jit_compile(strategy, generator, discriminator)
    model.compile(*optimizers, jit_compile=has_xla)
    return model


def check_gan_settings(settings: Settings) -> None:
    """Rejects settings with which no GAN can be built.

    Args:
        settings: all options.

    Raises:
        UserError: the image size does not fit, the precision does not suit the
            discriminator, or weights are not installed.
    """
    size = settings.data.image_size
    if size & (size - 1) or size < 8:
        raise UserError(
            "The generator needs an image size that is a power of two, at least 8."
            f" Received: data.image_size={size}"
        )
    gan, precision = settings.gan, settings.training.precision
    is_normalized = gan.spectral_normalization or gan.discriminator == "projected"
    if is_normalized and precision != "float32":
        raise UserError(
            "gan.spectral_normalization and gan.discriminator=projected need"
            " training.precision=float32: Keras's layer would round the kernels to"
            f" bfloat16 at every step. Received: training.precision={precision}"
        )
    resolve_gan_settings(settings)
