"""Whether a captioner trains in a precision: a few steps before anything else."""

import numpy as np

from kerasgan.captioning.captioner import build_captioner
from kerasgan.captioning.teacher_forcing import CLIP_NORM, caption_batches
from kerasgan.config.settings import CaptionsConfig
from kerasgan.encoders.precision import dtype_policy_scope, resolve_precision
from kerasgan.training.clipped_adam import ClippedAdam

CHECKED_STEPS, CHECKED_BATCH = 6, 8
FEATURE_SHAPE = (2, 2, 32)


def checked_precision(config: CaptionsConfig, token_ids: np.ndarray) -> str:
    """Resolves `captions.precision`.

    `auto` is what `resolve_precision` chooses if a captioner has finite losses in it,
    otherwise float32.

    Args:
        config: the settings.
        token_ids: captions, int32 `(n, k, length)`.

    Returns:
        `"float32"` or `"mixed_bfloat16"`.
    """
    precision = resolve_precision(config.precision)
    if config.precision != "auto" or precision == "float32":
        return precision
    return precision if trains_finitely(config, token_ids, precision) else "float32"


def trains_finitely(
    config: CaptionsConfig, token_ids: np.ndarray, precision: str
) -> bool:
    """Trains a captioner of the settings' sizes on captions and random features.

    Args:
        config: the settings.
        token_ids: captions, int32 `(n, k, length)`, of which a few are used.
        precision: a dtype policy.

    Returns:
        Whether the losses and the weights are finite after a few steps.
    """
    token_ids = token_ids[: CHECKED_STEPS * CHECKED_BATCH]
    size = min(config.output_vocabulary_size, int(token_ids.max()) + 1)
    token_ids = np.where(token_ids < size, token_ids, 1)
    random = np.random.default_rng(0)
    features = random.normal(size=(len(token_ids), *FEATURE_SHAPE))
    features = np.maximum(features, 0).astype(np.float16)  # as after a ReLU
    with dtype_policy_scope(precision):
        captioner = build_captioner(
            FEATURE_SHAPE,
            max(size, 4),
            int(token_ids[0, 0, 0]),
            caption_length=token_ids.shape[-1],
            dim=config.dim,
            noise_dim=config.noise_dim,
            dropout=config.dropout,
            decoder=config.decoder,
        )
    captioner.compile(ClippedAdam(config.learning_rate, clipnorm=CLIP_NORM))
    batches = caption_batches([features], token_ids, config.noise_dim, CHECKED_BATCH)
    values = captioner.fit(batches, verbose=0).history["loss"]
    values += [weight.numpy() for weight in captioner.trainable_variables]
    return all(np.isfinite(value).all() for value in values)
