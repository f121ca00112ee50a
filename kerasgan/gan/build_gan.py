"""Builds the GAN or VAE that settings describe."""

import keras
import tensorflow as tf

from kerasgan.config.settings import Settings
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.gan import GAN
from kerasgan.gan.gan_settings import check_gan_settings, resolve_gan_settings
from kerasgan.gan.generator import build_generator
from kerasgan.gan.vae import VAE
from kerasgan.gan.vae_encoder import build_vae_encoder
from kerasgan.training.devices import can_jit_compile

EQUAL_NAMES = (  # of settings and arguments
    *("r2", "r1_interval", "blur", "blur_images"),
    *("contrastive_weight", "diversity_weight", "ema_half_life"),
)


def build_gan(
    settings: Settings,
    vectorizer: keras.layers.Layer | None = None,
    strategy: tf.distribute.Strategy | None = None,
) -> GAN | VAE:
    """Builds and compiles the model of images that settings describe.

    Args:
        settings: all options.
        vectorizer: tokenizes the captions; None trains without captions.
        strategy: the strategy in whose scope this is called, for which XLA compiles
            the training step where it can.

    Returns:
        A compiled `GAN`, or a `VAE` with `gan.model=vae`.
    """
    check_gan_settings(settings)
    settings, _ = resolve_gan_settings(settings)
    gan, training = settings.gan, settings.training
    keras.utils.set_random_seed(training.seed)
    size, channels = settings.data.image_size, 3 if gan.channels == "rgb" else 1
    text_dim = None if vectorizer is None else gan.text_dim
    generator = build_generator(
        *(size, channels, gan.latent_dim, gan.generator_filters, gan.max_filters),
        text_dim=text_dim,
        architecture=gan.generator,
    )
    branches = {
        "image_size": size,
        "channels": channels,
        "min_filters": gan.discriminator_filters,
        "max_filters": gan.max_filters,
        "vocabulary_size": None if text_dim is None else vectorizer.vocabulary_size(),
        "caption_length": gan.caption_length,
        "text_dim": gan.text_dim,
        "text_branch": gan.text_branch,
    }
    build = _build_vae if gan.model == "vae" else _build_adversarial
    model = build(gan, generator, branches, vectorizer, training.seed)
    networks = model.generator, model.image_generator().counterpart
    has_xla = bool(strategy) and can_jit_compile(strategy, *networks)
    rates = (training.learning_rate, training.beta_1, training.beta_2)
    optimizers = [keras.optimizers.Adam(*rates) for _ in model.optimizers]
    model.compile(*optimizers, jit_compile=has_xla)
    return model


def _build_adversarial(gan, generator, branches, vectorizer, seed):
    discriminator = build_discriminator(
        **branches,
        spectral_normalization=gan.spectral_normalization,
        backbone=gan.backbone if gan.discriminator == "projected" else None,
        encoder_image_size=gan.encoder_image_size,
    )
    return GAN(
        generator,
        discriminator,
        vectorizer,
        loss=gan.loss,
        order=gan.order,
        r1=gan.r1,
        augmentation=gan.augmentation or (),
        **{name: getattr(gan, name) for name in EQUAL_NAMES},
        seed=seed,
    )


def _build_vae(gan, generator, branches, vectorizer, seed):
    encoder = build_vae_encoder(**branches, latent_dim=gan.latent_dim)
    weights = gan.kl_weight, gan.ema_half_life
    return VAE(generator, encoder, vectorizer, *weights, seed=seed)
