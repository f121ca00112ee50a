"""Agreement of images with the captions that they were generated from."""

from collections.abc import Iterable, Sequence

import numpy as np

from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.data.read_report import ReadReport
from kerasgan.evaluation.caption_words import normalize_caption
from kerasgan.evaluation.pair_protocol import derangements

NUM_DISTRACTORS = 99  # captions of other images, as Xu et al. have it


def has_known_words(pipeline: CaptioningPipeline, caption: str) -> bool:
    """Returns whether a dual encoder knows a word of a caption.

    Args:
        pipeline: with its vocabulary.
        caption: any text.
    """
    return bool(np.isin(normalize_caption(caption).split(), pipeline.words[2:]).any())


def embed_pairs(
    pipeline: CaptioningPipeline,
    batches: Iterable[tuple[Sequence[str], np.ndarray]],
    captions: dict[str, str],
    report: ReadReport,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Embeds images and their captions.

    Args:
        pipeline: whose dual encoder embeds.
        batches: names of images, and the images uint8 `(n, size, size, 3)`.
        captions: by name of the image.
        report: where images without a caption are counted, and those whose caption has
            no word that the dual encoder knows.

    Returns:
        Unit vectors of images and of captions, both `(m, d)`, and the m captions.
    """
    image_vectors, texts = [], []
    for names, images in batches:
        rows = []
        for row, name in enumerate(names):
            if name not in captions:
                report.skip("no caption", "", "", name)
            elif not has_known_words(pipeline, captions[name]):
                report.skip("caption without a known word", "", "", captions[name])
            else:
                rows.append(row)
        if rows:
            image_vectors.append(pipeline.embed_images(images[rows]))
            texts += [captions[names[row]] for row in rows]
    if not texts:
        return np.empty((0, 1)), np.empty((0, 1)), []
    return np.concatenate(image_vectors), pipeline.embed_captions(texts), texts


def caption_agreement(
    image_vectors: np.ndarray,
    caption_vectors: np.ndarray,
    captions: Sequence[str],
    num_distractors: int = NUM_DISTRACTORS,
    seed: int = 0,
) -> dict[str, dict[str, float]] | None:
    """Ranks the caption of each image among captions of others, by the cosine.

    The share of first ranks is R-precision (Xu et al. 2018, section 4,
    https://arxiv.org/abs/1711.10485). Captions with the same words are no distractors.

    Args:
        image_vectors: unit vectors `(n, d)`.
        caption_vectors: unit vectors `(n, d)` of their captions.
        captions: the n captions.
        num_distractors: captions that each is ranked among, drawn at random; all if
            there are fewer.
        seed: of the distractors and of the shuffled captions.

    Returns:
        `matched`, and `shuffled` for each image with the caption of another one. Both
        have `r_precision` in [0, 1]; `median_rank`, where 1 is the best and ties are
        shared; `chance`, the R-precision of a random ranking; and `images`. None if a
        caption has no distractor.
    """
    texts = np.array([normalize_caption(caption) for caption in captions])
    if len(set(texts.tolist())) < 2:
        return None
    random = np.random.default_rng(seed)
    order = derangements(len(texts), 1, seed)[0]
    cosines = image_vectors @ caption_vectors.T
    shuffled = cosines[:, order]
    return {
        "matched": _rank_captions(cosines, texts, num_distractors, random),
        "shuffled": _rank_captions(shuffled, texts[order], num_distractors, random),
    }


def _rank_captions(cosines, texts, num_distractors, random):
    """Ranks the diagonal element of each row among columns of other texts."""
    ranks, chances = [], []
    for row, text in enumerate(texts):
        others = np.flatnonzero(texts != text)
        count = min(num_distractors, len(others))
        drawn = cosines[row, random.choice(others, count, replace=False)]
        own = cosines[row, row]
        ranks.append(1 + (drawn > own).sum() + (drawn == own).sum() / 2)
        chances.append(1 / (1 + count))
    return {
        "r_precision": float(np.mean(np.array(ranks) == 1)),
        "median_rank": float(np.median(ranks)),
        "chance": float(np.mean(chances)),
        "images": len(texts),
    }
