"""The settings of a GAN or VAE that depend on others."""

import math

from kerasgan.config.recipes import resolve
from kerasgan.config.settings import GanConfig, Settings, TrainingConfig
from kerasgan.encoders.efficientnet_lite import (
    find_weights,
    is_installed,
    weights_digest,
)
from kerasgan.errors import UserError
from kerasgan.runs import Run
from kerasgan.training.devices import expected_device

BATCH_SIZES = {"CPU": 32, "GPU": 256, "TPU": 256}
LEARNING_RATE = 8e-4  # for 32 images a step
# By discriminator, or of a VAE, where the settings leave it open. A projected
# discriminator has spectral normalization instead of a gradient penalty (Sauer et al.
# 2021).
DEFAULTS: dict[str, dict[str, object]] = {
    "projected": {
        "gan.generator": "gated",
        "gan.generator_filters": 24,
        "gan.max_filters": 256,
        "gan.loss": "hinge",
        "gan.r1": 0.0,
        "gan.blur": 0.0,
        "training.beta_1": 0.0,
    },
    "conv": {
        "gan.generator": "light",
        "gan.generator_filters": 16,
        "gan.max_filters": 128,
        "gan.loss": "non-saturating",
        "gan.r1": 1.0,
        "gan.blur": 0.0,
        "training.beta_1": 0.5,
    },
    "vae": {
        "gan.generator": "light",
        "gan.generator_filters": 16,
        "gan.max_filters": 128,
        "training.beta_1": 0.9,
    },
}
# Drawn images have fine edges everywhere, by which D would win at once. Seen at their
# own size they leave time for a larger generator.
DRAWN: dict[str, object] = {
    "gan.blur": 0.03,
    "gan.generator_filters": 32,
}
# Settings that concern one model alone.
ONLY_OF_MODEL: dict[str, tuple[str, ...]] = {
    "gan": (
        *("discriminator", "encoder_image_size", "spectral_normalization", "loss"),
        *("order", "r1", "r2", "r1_interval", "augmentation", "blur", "blur_images"),
        *("contrastive_weight", "diversity_weight"),
    ),
    "vae": ("kl_weight",),
}


def resolve_gan_settings(settings: Settings) -> tuple[Settings, dict[str, object]]:
    """Chooses the discriminator of a GAN and what depends on it, and the batch size.

    Args:
        settings: all options.

    Returns:
        The settings without `auto` and None among those of `DEFAULTS`, with a batch
        size for the device and a learning rate for the batch size; and the chosen
        values `{"section.key": value}`.

    Raises:
        UserError: the weights of the chosen backbone are not installed or damaged.
    """
    chosen: dict[str, object] = {}
    kind: str = settings.gan.discriminator if settings.gan.model == "gan" else "vae"
    if kind == "auto":
        kind = "projected" if _can_project(settings) else "conv"
        chosen["gan.discriminator"] = kind
    if kind == "projected":
        check_weights(settings.gan.backbone)
    is_drawn = settings.data.dataset == "scenes" and kind == "projected"
    defaults = DEFAULTS[kind] | (DRAWN if is_drawn else {})
    tree = settings.model_dump()
    for name, value in defaults.items():
        section, key = name.split(".")
        if tree[section][key] in (None, "auto"):
            chosen[name] = value
    if kind == "projected" and settings.gan.encoder_image_size is None:
        scale = 1.0 if is_drawn else 1.5
        blocks = max(2, round(scale * settings.data.image_size / 32))
        chosen["gan.encoder_image_size"] = 32 * blocks
    chosen |= choose_batch(settings.training)
    return resolve(None, chosen, base=settings), chosen


def choose_batch(training: TrainingConfig) -> dict[str, object]:
    """Chooses batch size and learning rate, as far as the settings leave them open.

    Args:
        training: `batch_size`, `learning_rate`, `device` and `strategy`.

    Returns:
        `{"training.key": value}`. A larger batch has a higher rate, by the square root
        of its size, which is the usual rule for Adam.
    """
    batch_size = training.batch_size or BATCH_SIZES[expected_device(training)]
    rate = LEARNING_RATE * math.sqrt(batch_size / BATCH_SIZES["CPU"])
    chosen: dict[str, object] = {}
    if training.batch_size is None:
        chosen["training.batch_size"] = batch_size
    if training.learning_rate is None:
        chosen["training.learning_rate"] = rate
    return chosen


def resolve_for_run(settings: Settings, run: Run) -> Settings:
    """Resolves what depends on the machine, before minutes of preparing images.

    A run that is resumed keeps what was chosen when it began, and its weights.

    Args:
        settings: all options.
        run: stores what is chosen, and the digests of the weights.

    Returns:
        The settings with what was chosen.

    Raises:
        UserError: see `check_gan_settings`; or the run was started with other weights.
    """
    is_new, backbone = "gan.conditional" not in run.chosen, settings.gan.backbone
    settings = resolve(None, run.chosen, base=settings)
    check_gan_settings(settings)
    settings, chosen = resolve_gan_settings(settings)
    if is_new and settings.gan.validation and not is_installed(backbone):
        chosen["gan.validation"] = 0.0  # nothing would compute KID
        settings = resolve(None, chosen, base=settings)
    needs_weights = settings.gan.validation or settings.gan.discriminator == "projected"
    weights = {backbone: weights_digest(backbone)} if needs_weights else {}
    if run.weights not in ({}, weights):
        raise UserError(
            f"{run.path} was started with other weights of {backbone}. Received:"
            f" {weights}, expected: {run.weights}"
        )
    run.update_options(chosen=chosen, weights=weights)
    return settings


def check_gan_settings(settings: Settings) -> None:
    """Rejects settings with which no model of images can be built.

    Args:
        settings: all options.

    Raises:
        UserError: the image size does not fit, settings concern another model, the
            precision does not suit the discriminator, or weights are not installed.
    """
    size = settings.data.image_size
    if size & (size - 1) or size < 8:
        raise UserError(
            "The generator needs an image size that is a power of two, at least 8."
            f" Received: data.image_size={size}"
        )
    _check_model(settings.gan)
    gan, precision = settings.gan, settings.training.precision
    is_normalized = gan.spectral_normalization or gan.discriminator == "projected"
    if is_normalized and precision != "float32":
        raise UserError(
            "gan.spectral_normalization and gan.discriminator=projected need"
            " training.precision=float32: Keras's layer would round the kernels to"
            f" bfloat16 at every step. Received: training.precision={precision}"
        )
    resolve_gan_settings(settings)


def _check_model(gan: GanConfig) -> None:
    """Rejects settings that concern the other model."""
    (other,) = set(ONLY_OF_MODEL) - {gan.model}
    defaults = GanConfig()
    given = [
        f"gan.{name}={getattr(gan, name)}"
        for name in ONLY_OF_MODEL[other]
        if getattr(gan, name) != getattr(defaults, name)
    ]
    if given:
        raise UserError(
            f"A {gan.model.upper()} has no use for settings of a {other.upper()}. Leave"
            f" them out, or set gan.model={other}. Received: gan.model={gan.model},"
            f" {', '.join(given)}"
        )


def check_weights(backbone: str) -> None:
    """Rejects a backbone whose weights are not installed.

    Args:
        backbone: see `FrozenEncoder`.

    Raises:
        UserError: the package with the weights is not installed or damaged.
    """
    try:
        find_weights(backbone)
    except UserError as error:
        advice = "A new run with gan.discriminator=conv needs none."
        raise UserError(f"{error}. {advice}") from error


def _can_project(settings):
    gan = settings.gan
    is_conv_only = gan.spectral_normalization or gan.loss == "wasserstein-gp"
    is_float32 = settings.training.precision == "float32"
    return is_installed(gan.backbone) and is_float32 and not is_conv_only
