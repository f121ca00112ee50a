"""Converts image files and captions to arrays, and token ids to captions.

This file does not need kerasgan or TensorFlow, only numpy and Pillow. `kerasgan export`
copies it to the directory of models that take arrays. It uses other files of that
directory: `images.py`, `export.json`, the vocabularies, and for a classifier
`label_words.py`.
"""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

DIRECTORY = Path(__file__).parent
START = "[START]"
UNKNOWN_ID, FIRST_WORD_ID = 1, 2  # token id 0 is padding


def preprocess_image(data: bytes, stage: str) -> np.ndarray:
    """Converts an image file to the array that the models of a stage take.

    Args:
        data: content of an image file.
        stage: `"images"`, `"captions"` or `"classes"`.

    Returns:
        uint8 `(image_size, image_size, 3)`, RGB.

    Raises:
        images.BadImage: the image cannot be used. The message is the reason.
    """
    from images import read_square_image, strict_pillow

    settings = _settings(stage)
    with strict_pillow():
        return read_square_image(data, settings["image_size"], settings["fit"])


def tokenize(captions: Sequence[str], stage: str) -> np.ndarray:
    """Converts captions to token ids.

    Args:
        captions: n strings.
        stage: `"images"`, `"captions"` or `"classes"`.

    Returns:
        int32 `(n, caption_length)`, padded with 0.
    """
    ids = {word: FIRST_WORD_ID + row for row, word in enumerate(_vocabulary(stage))}
    settings = _settings(stage)
    if "masked_words" in settings:
        from label_words import mask_label_words

        captions = mask_label_words(captions, settings["masked_words"])
    token_ids = np.zeros((len(captions), settings["caption_length"]), np.int32)
    for row, caption in zip(token_ids, captions, strict=True):
        words = _standardize(caption)[: len(row)]
        row[: len(words)] = [ids.get(word, UNKNOWN_ID) for word in words]
    return token_ids


def detokenize(token_ids: Iterable[int], stage: str) -> str:
    """Converts the token ids of one caption to words, without padding.

    Args:
        token_ids: integers.
        stage: `"images"`, `"captions"` or `"classes"`.

    Returns:
        The words, separated by spaces.
    """
    words = _vocabulary(stage)
    return " ".join(words[index - FIRST_WORD_ID] for index in token_ids if index)


def _vocabulary(stage: str) -> list[str]:
    text = (DIRECTORY / f"vocabulary-{stage}.txt").read_text(encoding="utf-8")
    return text.split("\n")[:-1]


def _standardize(caption: str) -> list[str]:
    """Splits into lower-case words of letters and digits, after the start token."""
    characters = (
        character if unicodedata.category(character)[0] in "LN" else " "
        for character in str(caption).lower()
    )
    return [START, *"".join(characters).split()]


def _settings(stage: str) -> dict:
    manifest = json.loads((DIRECTORY / "export.json").read_text(encoding="utf-8"))
    return manifest["stages"][stage]
