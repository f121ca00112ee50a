"""The settings of a GAN that depend on its discriminator."""

from kerasgan.config.settings import Settings
from kerasgan.encoders.efficientnet_lite import find_weights, is_installed
from kerasgan.errors import UserError

# By discriminator, where the settings leave it open. A projected discriminator has
# spectral normalization instead of a gradient penalty (Sauer et al. 2021).
DEFAULTS: dict[str, dict[str, object]] = {
    "projected": {
        "gan.generator": "gated",
        "gan.generator_filters": 32,
        "gan.max_filters": 256,
        "gan.loss": "hinge",
        "gan.r1": 0.0,
        "training.beta_1": 0.0,
    },
    "conv": {
        "gan.generator": "light",
        "gan.generator_filters": 16,
        "gan.max_filters": 128,
        "gan.loss": "non-saturating",
        "gan.r1": 1.0,
        "training.beta_1": 0.5,
    },
}


def resolve_gan_settings(settings: Settings) -> tuple[Settings, dict[str, object]]:
    """Chooses the discriminator, and what depends on it.

    Args:
        settings: all options.

    Returns:
        The settings without `auto` and None among those of `DEFAULTS`, and the chosen
        values `{"section.key": value}`.

    Raises:
        UserError: the weights of the chosen backbone are not installed or damaged.
    """
    chosen: dict[str, object] = {}
    discriminator: str = settings.gan.discriminator
    if discriminator == "auto":
        discriminator = "projected" if _can_project(settings) else "conv"
        chosen["gan.discriminator"] = discriminator
    if discriminator == "projected":
        check_weights(settings.gan.backbone)
    tree = settings.model_dump()
    for name, value in DEFAULTS[discriminator].items():
        section, key = name.split(".")
        if tree[section][key] in (None, "auto"):
            chosen[name] = value
    if settings.gan.blur is None:
        # Drawn images have fine edges everywhere, by which D wins at once.
        is_drawn = settings.data.dataset == "scenes" and discriminator == "projected"
        chosen["gan.blur"] = 0.03 if is_drawn else 0.0
    for name, value in chosen.items():
        section, key = name.split(".")
        tree[section][key] = value
    return Settings(**tree), chosen


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
