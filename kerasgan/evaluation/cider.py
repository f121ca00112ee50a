"""CIDEr-D: do captions use the word groups that tell this image from others?"""

import math
from collections import Counter

import numpy as np

from kerasgan.evaluation.caption_words import scorable_pairs

ORDERS = 4  # single words to groups of four
SIGMA = 6.0  # width, in words, of the penalty for another length


def ngrams(words, order):
    """Groups of `order` neighbouring words of a list, as tuples."""
    return list(zip(*(words[start:] for start in range(order))))


def cider_d(captions, references):
    """Mean CIDEr-D over the images (https://arxiv.org/abs/1411.5726, section 7).

    As COCO's evaluation computes it: a group of words weighs its count times the
    logarithm of (images / images with it in a reference), over these images,
    and a caption's weight is clipped at the reference's. COCO splits words by a rule
    of its own ("man's").

    Args:
        captions: n str, one an image.
        references: n lists of str; images without references are left out.

    Returns:
        At least 0; at most 10, for captions of four words and more that equal all
        their references. One image alone gets 0: it has no others to differ from.
    """
    captions, references = scorable_pairs(captions, references)
    counts = [[_counts(reference) for reference in own] for own in references]
    images_with = Counter(group for own in counts for group in set().union(*own))
    rarities = {
        group: math.log(len(captions) / images) for group, images in images_with.items()
    }
    unseen = math.log(len(captions))

    def weighted(counts):
        """One dict of weights for each order, and the number of words."""
        weights = [{} for _ in range(ORDERS)]
        for group, count in counts.items():
            weights[len(group) - 1][group] = count * rarities.get(group, unseen)
        return weights, sum(n for group, n in counts.items() if len(group) == 1)

    scores = []
    for caption, own in zip(captions, counts):
        candidate = weighted(_counts(caption))
        scores.append(np.mean([_likeness(*candidate, *weighted(one)) for one in own]))
    return 10 * float(np.mean(scores))


def _counts(caption):
    words = caption.split()
    return Counter(
        group for order in range(ORDERS) for group in ngrams(words, order + 1)
    )


def _likeness(candidate, candidate_length, reference, reference_length):
    """Mean over the orders of the clipped cosine, times the penalty of the length."""
    penalty = math.exp(-((candidate_length - reference_length) ** 2) / (2 * SIGMA**2))
    return penalty * sum(map(_clipped_cosine, candidate, reference)) / ORDERS


def _clipped_cosine(candidate, reference):
    product = sum(
        min(weight, reference[group]) * reference[group]
        for group, weight in candidate.items()
        if group in reference
    )
    if not product:
        return 0.0
    return product / (math.hypot(*candidate.values()) * math.hypot(*reference.values()))
