"""The networks of the captions stage, as the settings describe them."""

from collections.abc import Sequence

import keras
import numpy as np

from kerasgan.captioning.caption_data import encoder_image_size
from kerasgan.captioning.captioner import Captioner, build_captioner
from kerasgan.captioning.dual_encoder import DualEncoder, build_dual_encoder
from kerasgan.config.settings import CaptionsConfig, Settings
from kerasgan.encoders.image_encoder import build_image_encoder
from kerasgan.encoders.text_branch import embedding_dim
from kerasgan.encoders.word_vectors import check_word_vectors, load_word_vectors
from kerasgan.runs import Run


def require_word_vectors(settings: Settings, run: Run) -> None:
    """Checks that the word vectors are installed that a run still needs.

    Args:
        settings: the settings.
        run: its trained dual encoder needs none.

    Raises:
        UserError: they are not installed.
    """
    if not (run.models / "dual_encoder.keras").is_file():
        check_word_vectors(settings.captions.word_vectors)


def load_configured_word_vectors(
    config: CaptionsConfig, vocabulary: Sequence[str]
) -> np.ndarray | None:
    """Loads the word vectors of some settings, as many columns as fit.

    Args:
        config: the settings.
        vocabulary: the word of each token id.

    Returns:
        float32 `(len(vocabulary), d)`; None if the settings want none.
    """
    if config.word_vectors is None:
        return None
    size = embedding_dim(config.text_branch, config.joint_dim)
    return load_word_vectors(vocabulary, max_dim=size)


def build_configured_dual_encoder(
    config: CaptionsConfig,
    vocabulary_size: int,
    feature_dim: int,
    image_encoder: keras.Model | None = None,
    word_vectors: np.ndarray | None = None,
) -> DualEncoder:
    """Builds the dual encoder of some settings.

    Args:
        config: the settings.
        vocabulary_size: number of token ids.
        feature_dim: size of the features, without an image encoder.
        image_encoder: the result of `build_image_encoder`, or None.
        word_vectors: the result of `load_configured_word_vectors`.
    """
    return build_dual_encoder(
        vocabulary_size,
        config.caption_length,
        feature_dim=feature_dim,
        joint_dim=config.joint_dim,
        text_branch=config.text_branch,
        num_members=config.dual_encoder_members,
        image_encoder=image_encoder,
        word_vectors=word_vectors,
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
