"""The data of the captions stage."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from kerasgan.captioning.pipeline import VOCABULARY_FILE
from kerasgan.config.settings import DataConfig, Settings
from kerasgan.data.groups import hold_out_groups
from kerasgan.data.pipeline import Split
from kerasgan.data.stored_arrays import StoredImages, select_rows
from kerasgan.encoders.image_encoder import BACKBONE_IMAGE_SIZE
from kerasgan.errors import UserError
from kerasgan.layers.text_vectorization import load_or_build_vectorizer, tokenize
from kerasgan.runs import Run

SCENES_SIZE = 128  # pixels
MAX_CAPTIONS = 5  # captions an image in training


@dataclass
class CaptionData:
    """Images and captions for training.

    Attributes:
        split: the training split.
        train_rows: rows of the split that are trained on.
        validation_rows: rows that choose epochs and weights.
        vectorizer: captions to token ids.
        token_ids: of all captions of the split, int32 `(n, k, length)`; see
            `pad_token_ids`.
    """

    split: Split
    train_rows: np.ndarray
    validation_rows: np.ndarray
    vectorizer: keras.layers.TextVectorization
    token_ids: np.ndarray

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids."""
        return self.vectorizer.vocabulary_size()


def build_caption_data(settings: Settings, run: Run, split: Split) -> CaptionData:
    """Divides a training split, and tokenizes its captions.

    Args:
        settings: the settings.
        run: holds the vocabulary, which is written if it is missing.
        split: the training split.

    Returns:
        A `CaptionData`.
    """
    config = settings.captions
    train_rows, held_out = validation_rows(split, config.validation, settings)
    vectorizer = load_or_build_vectorizer(
        run.models / VOCABULARY_FILE,
        config.vocabulary_size,
        config.caption_length,
        (caption for row in train_rows for caption in split.captions[row]),
    )
    run.check_file(f"models/{VOCABULARY_FILE}", record=True)
    token_ids = pad_token_ids(vectorizer, split.captions)
    return CaptionData(split, train_rows, held_out, vectorizer, token_ids)


def encoder_image_size(settings: Settings) -> int:
    """Returns the side in pixels of the image encoder's images.

    Args:
        settings: the settings.
    """
    if settings.captions.backbone == "conv":
        return settings.data.image_size
    default = SCENES_SIZE if settings.data.dataset == "scenes" else BACKBONE_IMAGE_SIZE
    return settings.captions.encoder_image_size or default


def data_for_captions(settings: Settings) -> DataConfig:
    """Returns the data settings with the image size of the image encoder.

    Args:
        settings: the settings.
    """
    return settings.data.model_copy(update={"image_size": encoder_image_size(settings)})


def validation_rows(
    split: Split, share: float, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """Divides the training images that have captions, at random.

    Args:
        split: the training split, whose groups are not separated.
        share: part of the images that validates.
        settings: with the seed of the data.

    Returns:
        Rows of the split that are trained on, and rows that validate.

    Raises:
        UserError: fewer than four images have captions, or their groups leave fewer
            than two to train on or to validate with.
    """
    rows = np.array([row for row, texts in enumerate(split.captions) if any(texts)])
    count = max(2, int(round(share * len(rows))))
    if min(count, len(rows) - count) >= 2:
        order = np.random.default_rng(settings.data.seed).permutation(rows)
        train_rows, held_out = hold_out_groups(order, split.groups, count)
        if min(len(train_rows), len(held_out)) >= 2:
            return np.sort(train_rows), np.sort(held_out)
    raise UserError(
        "Training on captions needs at least four images with captions, two of which"
        " validate and do not belong to the others (equal images, or images of one row"
        f" of a table). Received: {len(rows)}"
    )


def pad_token_ids(
    vectorizer: keras.layers.TextVectorization, captions: Sequence[Sequence[str]]
) -> np.ndarray:
    """Tokenizes several captions an image.

    Args:
        vectorizer: the result of `build_vectorizer`.
        captions: for each image a list of str, of which the first `MAX_CAPTIONS`
            are used that are not empty.

    Returns:
        Token ids int32 `(n, k, length)`, all zero where an image has fewer than k
        captions.
    """
    groups = [[text for text in texts if text][:MAX_CAPTIONS] for texts in captions]
    counts = np.array([len(texts) for texts in groups])
    token_ids = tokenize(vectorizer, [text for texts in groups for text in texts])
    padded = np.zeros((len(groups), counts.max(), token_ids.shape[1]), np.int32)
    padded[np.arange(counts.max()) < counts[:, None]] = token_ids
    return padded


def stack_views(
    views: Sequence[np.ndarray | StoredImages],
    token_ids: np.ndarray,
    rows: np.ndarray,
) -> tuple[np.ndarray | StoredImages, np.ndarray]:
    """Concatenates several views of some images, each with the images' captions.

    Args:
        views: arrays `(n, ...)`; a single one may be on the disk, and stays there.
        token_ids: `(n, k, length)`.
        rows: m row numbers.

    Returns:
        `(m * views, ...)` and `(m * views, k, length)`.
    """
    if len(views) == 1:
        images = select_rows(views[0], rows)
    else:
        images = np.concatenate([view[rows] for view in views])
    return images, np.tile(token_ids[rows], (len(views), 1, 1))
