"""Image files to pixels and captions to numbers, for models that take arrays.

A file for those who have neither kerasgan nor TensorFlow: `kerasgan export` lays it
beside such models, with `images.py`, `export.json` and the vocabularies, and for a
classifier `label_words.py`, all of which it reads. It needs numpy and Pillow.
"""

import json
import unicodedata
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
START, UNKNOWN, FIRST = "[START]", 1, 2  # token ids: 0 is padding


def image(data, stage):
    """An image file's bytes to uint8 `(size, size, 3)`, as `stage` was trained with.

    Raises:
        images.BadImage: with the reason.
    """
    from images import decode, prepare, strict_pillow

    settings = _settings(stage)
    with strict_pillow():
        data = prepare(data, settings["image_size"], settings["fit"])
        return np.asarray(decode(data)[0])


def token_ids(captions, stage):
    """A list of n str to int32 `(n, length)`, as `stage` reads them."""
    words = (HERE / f"vocabulary-{stage}.txt").read_text(encoding="utf-8").split("\n")
    lines = {word: FIRST + line for line, word in enumerate(words[:-1])}
    settings = _settings(stage)
    if "masked" in settings:
        from label_words import mask_label_words

        captions = mask_label_words(captions, settings["masked"])
    ids = np.zeros((len(captions), settings["caption_length"]), np.int32)
    for row, caption in zip(ids, captions):
        found = [lines.get(word, UNKNOWN) for word in _words(caption)][: len(row)]
        row[: len(found)] = found
    return ids


def caption(token_ids, stage):
    """Token ids `(length,)` to a caption."""
    words = (HERE / f"vocabulary-{stage}.txt").read_text(encoding="utf-8").split("\n")
    return " ".join(words[i - FIRST] for i in token_ids if i)


def _words(caption):
    """Lower case, letters and digits of any script, opened by a word of its own."""
    kept = (
        letter if unicodedata.category(letter)[0] in "LN" else " "
        for letter in str(caption).lower()
    )
    return [START, *"".join(kept).split()]


def _settings(stage):
    manifest = json.loads((HERE / "export.json").read_text(encoding="utf-8"))
    return manifest["stages"][stage]
