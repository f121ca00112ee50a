"""Captions as plain words: what every figure about captions counts.

The same words as `kerasgan.data.text.standardize` gives to the networks, without
its `[START]` and without TensorFlow.
"""

import re

# \w is a letter or a number of any script (\pL, \pN), or an underscore.
BETWEEN_WORDS = re.compile(r"[\W_]+")


def normalize(caption):
    """Lower-cases a str and keeps letters and numbers; one space between words."""
    return BETWEEN_WORDS.sub(" ", caption.lower()).strip()


def normalize_references(references):
    """Every picture's captions in words; captions without a word are left out.

    Args:
        references: lists of str, one list a picture, possibly empty.

    Returns:
        Lists of str, as many.
    """
    return [
        [words for caption in captions if (words := normalize(caption))]
        for captions in references
    ]


def judged(captions, references):
    """The captions that can be judged: those of pictures with a reference.

    Args:
        captions: n str, one a picture.
        references: n lists of str.

    Returns:
        Captions and their references in words, equally many, at most n.
    """
    if len(captions) != len(references):
        raise ValueError(
            "Every picture needs one caption and a list of references. Received: "
            f"{len(captions)} captions and {len(references)} lists."
        )
    kept = [
        (normalize(caption), own)
        for caption, own in zip(captions, normalize_references(references))
        if own
    ]
    if not kept:
        raise ValueError(
            f"No picture has a reference with a word. Received: {len(captions)} "
            "pictures."
        )
    return [caption for caption, _ in kept], [own for _, own in kept]
