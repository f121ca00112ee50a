"""Captions as plain words: what every figure about captions counts.

The same words as `kerasgan.data.text.standardize` gives to the networks, without
its `[START]` and without TensorFlow.
"""

import re

# \w is a letter or a number of any script (\pL, \pN), or an underscore.
BETWEEN_WORDS = re.compile(r"[\W_]+")


def normalize_caption(caption):
    """Lower-cases a str and keeps letters and numbers; one space between words."""
    return BETWEEN_WORDS.sub(" ", caption.lower()).strip()


def normalize_references(references):
    """Every image's captions in words; captions without a word are left out.

    Args:
        references: lists of str, one list an image, possibly empty.

    Returns:
        Lists of str, as many.
    """
    return [
        [words for caption in captions if (words := normalize_caption(caption))]
        for captions in references
    ]


def scorable_pairs(captions, references):
    """The captions that can be judged: those of images with a reference.

    Args:
        captions: n str, one an image.
        references: n lists of str.

    Returns:
        Captions and their references in words, equally many, at most n.
    """
    if len(captions) != len(references):
        raise ValueError(
            "Every image needs one caption and a list of references. Received: "
            f"{len(captions)} captions and {len(references)} lists."
        )
    kept = [
        (normalize_caption(caption), own)
        for caption, own in zip(captions, normalize_references(references))
        if own
    ]
    if not kept:
        raise ValueError(
            f"No image has a reference with a word. Received: {len(captions)} images."
        )
    return [caption for caption, _ in kept], [own for _, own in kept]
