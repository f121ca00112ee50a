"""Words of captions, which all metrics of captions count.

The words are those of `kerasgan.layers.text_vectorization.standardize`, without its
start token and without TensorFlow.
"""

import re
from collections.abc import Iterable, Sequence

# \w is a letter or a number of any script (\pL, \pN), or an underscore.
BETWEEN_WORDS = re.compile(r"[\W_]+")


def normalize_caption(caption: str) -> str:
    """Lower-cases a caption and keeps letters and numbers.

    Args:
        caption: any text.

    Returns:
        The words, separated by single spaces.
    """
    return BETWEEN_WORDS.sub(" ", caption.lower()).strip()


def normalize_references(references: Iterable[Iterable[str]]) -> list[list[str]]:
    """Normalizes the references of images and removes those without a word.

    Args:
        references: for each image a list of str, possibly empty.

    Returns:
        For each image a list of str, see `normalize_caption`.
    """
    return [
        [words for caption in captions if (words := normalize_caption(caption))]
        for captions in references
    ]


def scorable_pairs(
    captions: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """Selects the images that have references.

    Args:
        captions: n captions, one for each image.
        references: n lists of references.

    Returns:
        Normalized captions and their normalized references, of m images, m <= n.

    Raises:
        ValueError: the numbers of captions and of lists differ, or no image has a
            reference.
    """
    if len(captions) != len(references):
        raise ValueError(
            "Every image needs one caption and a list of references. Received: "
            f"{len(captions)} captions and {len(references)} lists."
        )
    pairs = [
        (normalize_caption(caption), texts)
        for caption, texts in zip(
            captions, normalize_references(references), strict=True
        )
        if texts
    ]
    if not pairs:
        raise ValueError(
            f"No image has a reference with a word. Received: {len(captions)} images."
        )
    return [caption for caption, _ in pairs], [texts for _, texts in pairs]
