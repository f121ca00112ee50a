"""The networks of the captions stage, as the settings describe them."""

from collections.abc import Sequence

import keras

from kerasgan.captioning.caption_data import encoder_image_size
from kerasgan.captioning.captioner import Captioner, build_captioner
from kerasgan.captioning.dual_encoder import DualEncoder, build_dual_encoder
from kerasgan.config.settings import CaptionsConfig, Settings
from kerasgan.encoders.image_encoder import build_image_encoder


def build_configured_dual_encoder(
    config: CaptionsConfig,
    vocabulary_size: int,
    feature_dim: int,
    image_encoder: keras.Model | None = None,
) -> DualEncoder:
    """Builds the dual encoder of some settings.

    Args:
        config: the settings.
        vocabulary_size: number of token ids.
        feature_dim: size of the features, without an image encoder.
        image_encoder: the result of `build_image_encoder`, or None.
    """
    return build_dual_encoder(
        vocabulary_size,
        config.caption_length,
        feature_dim=feature_dim,
        joint_dim=config.joint_dim,
        text_branch=config.text_branch,
        num_members=config.dual_encoder_members,
        image_encoder=image_encoder,
    )


def build_configured_captioner(
    config: CaptionsConfig,
    feature_shape: Sequence[int],
    vocabulary_size: int,
    start_id: int,
) -> Captioner:
    """Builds the captioner of some settings.

    Args:
        config: the settings.
        feature_shape: `(height, width, channels)` of the features.
        vocabulary_size: number of token ids, of which the captioner can generate
            `config.output_vocabulary_size`.
        start_id: the token that starts every caption.
    """
    return build_captioner(
        feature_shape,
        min(config.output_vocabulary_size, vocabulary_size),
        start_id,
        caption_length=config.caption_length,
        dim=config.dim,
        noise_dim=config.noise_dim,
        dropout=config.dropout,
        decoder=config.decoder,
    )


def untrained_networks(settings: Settings) -> tuple[DualEncoder, Captioner]:
    """Builds dual encoder and captioner for the largest possible vocabulary.

    The image encoder has random weights, so that nothing needs to be installed.

    Args:
        settings: the settings.

    Raises:
        UserError: the image encoder does not allow the image size.
    """
    config = settings.captions
    image_encoder = build_image_encoder(
        config.backbone, encoder_image_size(settings), weights=None
    )
    dual_encoder = build_configured_dual_encoder(
        config,
        config.vocabulary_size,
        image_encoder.output_shape[-1],
        image_encoder if config.backbone == "conv" else None,
    )
    captioner = build_configured_captioner(
        config, image_encoder.output_shape[1:], config.vocabulary_size, start_id=2
    )
    return dual_encoder, captioner
