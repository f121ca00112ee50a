"""Builds the GAN that settings describe."""

import keras
import tensorflow as tf

from kerasgan.config.settings import Settings
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.gan import GAN
from kerasgan.gan.gan_settings import check_gan_settings, resolve_gan_settings
from kerasgan.gan.generator import build_generator
from kerasgan.training.devices import can_jit_compile

EQUAL_NAMES = (  # of settings and arguments
    *("r2", "r1_interval", "blur", "blur_images"),
    *("contrastive_weight", "diversity_weight", "ema_half_life"),
)


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
        encoder_image_size=gan.encoder_image_size,
    )
    model = GAN(
        generator,
        discriminator,
        vectorizer,
        loss=gan.loss,
        order=gan.order,
        r1=gan.r1,
        augmentation=gan.augmentation or (),
        **{name: getattr(gan, name) for name in EQUAL_NAMES},
        seed=training.seed,
    )
    rates = (training.learning_rate, training.beta_1, training.beta_2)
    optimizers = (keras.optimizers.Adam(*rates) for _ in range(2))
    has_xla = bool(strategy) and can_jit_compile(strategy, generator, discriminator)
    model.compile(*optimizers, jit_compile=has_xla)
    return model
