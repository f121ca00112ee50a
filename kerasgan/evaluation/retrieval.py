"""How well captions find their image among all, and images one of their captions.

A similarity is float `(n, m)`, images down and captions across, the higher the more
alike; `owners` is int `(m,)`, each caption's image as a row. Ranks begin at 1.
"""

from math import comb

import numpy as np

CHUNK = 256  # queries ranked at a time
DEPTHS = (1, 5, 10)


def retrieval_scores(images, captions, owners):
    """Figures of retrieval by the dot product of vectors; see `scores_from_similarity`.

    Args:
        images, captions: float `(n, d)` and `(m, d)`; of length 1 for the cosine.
        owners: int `(m,)`.
    """
    return scores_from_similarity(np.asarray(images) @ np.asarray(captions).T, owners)


def scores_from_similarity(similarity, owners):
    """Figures of retrieval, and what a random ranking would be expected to reach.

    Returns:
        `{"image_to_text", "text_to_image"}`, each `{"r1", "r5", "r10",
        "median_rank"}`, R@k being the percentage of queries of rank k at most;
        `images`, `captions`, and `missing`, images without a caption, which
        compete but don't ask; `chance`, the expected R@k both ways.
    """
    image_ranks, caption_ranks = ranks_from_similarity(similarity, owners)
    images, captions = np.shape(similarity)
    counts = np.bincount(owners, minlength=images)
    return {
        "image_to_text": _figures(image_ranks[counts > 0]),
        "text_to_image": _figures(caption_ranks),
        "images": images,
        "captions": captions,
        "missing": int((counts == 0).sum()),
        "chance": {
            "image_to_text": _chance(counts[counts > 0], captions),
            "text_to_image": _chance([1], images),
        },
    }


def ranks_from_similarity(similarity, owners):
    """Rank of each image's best caption, and of each caption's image.

    A tie is given the rank expected of tied ones in random order: one more than the
    better ones, and of the t tied others t / (1 + own captions in the tie), thus half
    of them where a single one is sought. So a constant scorer ranks in the middle.

    Args:
        similarity: float `(n, m)` without NaN.
        owners: int `(m,)`.

    Returns:
        float64 `(n,)`, NaN for an image without a caption, and float64 `(m,)`.
    """
    similarity, owners = np.asarray(similarity), np.asarray(owners)
    images, captions = similarity.shape
    if owners.shape != (captions,) or not np.isin(owners, np.arange(images)).all():
        raise ValueError(
            f"owners must name one of {images} images for each of {captions} "
            f"captions. Received: shape {owners.shape}, values {owners}"
        )
    if np.isnan(similarity).any():
        raise ValueError(
            "Similarities that are not numbers can't be ranked. "
            f"Received: {np.isnan(similarity).sum()} of {similarity.size}"
        )
    return (
        _ranks(similarity, np.arange(images), owners),
        _ranks(similarity.T, owners, np.arange(images)),
    )


def _ranks(similarity, queries, candidates):
    """Best rank of those columns of each row whose candidate equals the row's query."""
    ranks = np.full(len(similarity), np.nan)
    for start in range(0, len(similarity), CHUNK):
        rows = similarity[start : start + CHUNK]
        own = queries[start : start + CHUNK, None] == candidates
        best = np.where(own, rows, -np.inf).max(axis=1, keepdims=True)
        better, tied = rows > best, rows == best
        own_tied = (tied & own).sum(axis=1)
        others_tied = (tied & ~own).sum(axis=1)
        ranks[start : start + CHUNK] = np.where(
            own.any(axis=1),
            1 + better.sum(axis=1) + others_tied / (1 + own_tied),
            np.nan,
        )
    return ranks


def _figures(ranks):
    recalls = {f"r{depth}": 100 * float((ranks <= depth).mean()) for depth in DEPTHS}
    return {**recalls, "median_rank": float(np.median(ranks))}


def _chance(sought, candidates):
    """Expected R@k: one of `sought[i]` good candidates drawn within k draws."""

    def recall(good, depth):
        depth = min(depth, candidates)
        return 1 - comb(candidates - good, depth) / comb(candidates, depth)

    return {
        f"r{depth}": 100 * float(np.mean([recall(int(good), depth) for good in sought]))
        for depth in DEPTHS
    }
