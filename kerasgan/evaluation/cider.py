"""CIDEr-D, which weights n-grams by how specific they are to an image."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from kerasgan.evaluation.caption_words import scorable_pairs

MAX_ORDER = 4  # n-grams of one to four words
SIGMA = 6.0  # standard deviation of the length penalty, in words


def ngrams(words: Sequence[str], order: int) -> list[tuple[str, ...]]:
    """Lists the n-grams of a list of words.

    Args:
        words: the words.
        order: number of words of an n-gram.

    Returns:
        Tuples of `order` consecutive words; empty if there are fewer words.
    """
    return list(zip(*(words[start:] for start in range(order)), strict=False))


def cider_d(captions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Computes mean CIDEr-D (https://arxiv.org/abs/1411.5726, section 7).

    As in COCO's evaluation, the weight of an n-gram is its count times the logarithm
    of (number of images / number of images with the n-gram in a reference), over these
    images. Weights of the caption are clipped at those of the reference. COCO uses
    another tokenizer, which splits "man's" differently.

    Args:
        captions: n captions, one for each image.
        references: n lists of references. Images without references are left out.

    Returns:
        A float in [0, 10]. It is 10 if captions of at least four words equal all their
        references, and 0 for a single image, because all weights are 0.

    Raises:
        ValueError: the numbers of captions and of lists differ, or no image has a
            reference.
    """
    captions, references = scorable_pairs(captions, references)
    reference_counts = [[_count_ngrams(text) for text in texts] for texts in references]
    num_images_with = Counter(
        ngram for counts in reference_counts for ngram in set().union(*counts)
    )
    idf = {
        ngram: math.log(len(captions) / num_images)
        for ngram, num_images in num_images_with.items()
    }
    default_idf = math.log(len(captions))

    def weigh(counts):
        """Returns a dict of weights for each order, and the number of words."""
        weights = [{} for _ in range(MAX_ORDER)]
        for ngram, count in counts.items():
            weights[len(ngram) - 1][ngram] = count * idf.get(ngram, default_idf)
        return weights, sum(n for ngram, n in counts.items() if len(ngram) == 1)

    scores = []
    for caption, counts in zip(captions, reference_counts, strict=True):
        candidate = weigh(_count_ngrams(caption))
        similarities = [
            _penalized_similarity(*candidate, *weigh(reference)) for reference in counts
        ]
        scores.append(np.mean(similarities))
    return 10 * float(np.mean(scores))


def _count_ngrams(caption):
    words = caption.split()
    return Counter(
        ngram for order in range(MAX_ORDER) for ngram in ngrams(words, order + 1)
    )


def _penalized_similarity(candidate, candidate_length, reference, reference_length):
    """Returns the mean clipped cosine of all orders, times the length penalty."""
    penalty = math.exp(-((candidate_length - reference_length) ** 2) / (2 * SIGMA**2))
    return penalty * sum(map(_clipped_cosine, candidate, reference)) / MAX_ORDER


def _clipped_cosine(candidate, reference):
    product = sum(
        min(weight, reference[ngram]) * reference[ngram]
        for ngram, weight in candidate.items()
        if ngram in reference
    )
    if not product:
        return 0.0
    return product / (math.hypot(*candidate.values()) * math.hypot(*reference.values()))
