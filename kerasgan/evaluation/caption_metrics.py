"""Metrics of generated captions: overlap with references, and diversity.

Captions are n str, one for each image, and references are n lists of str. Words are
those of `normalize_caption`; other tokenizers, such as COCO's, give slightly different
values. Images without references are left out.
"""

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics import BLEU

from kerasgan.evaluation.caption_words import normalize_caption, scorable_pairs
from kerasgan.evaluation.cider import cider_d, ngrams

ROUGE_BETA = 1.2  # weight of recall in COCO's evaluation


def corpus_bleu(
    captions: Sequence[str], references: Sequence[Sequence[str]]
) -> dict[str, float]:
    """Computes BLEU of the whole set without smoothing, using sacrebleu.

    The reference length is that of the reference nearest in length, the shorter one of
    two equally near.

    Args:
        captions: n captions.
        references: n lists of references.

    Returns:
        `bleu_1` to `bleu_4`, each in [0, 100]. BLEU-n uses n-grams of 1 to n words.

    Raises:
        ValueError: the numbers of captions and of lists differ, or no image has a
            reference.
    """
    captions, references = scorable_pairs(captions, references)
    max_references = max(len(texts) for texts in references)
    padded = [texts + [None] * (max_references - len(texts)) for texts in references]
    streams = [list(stream) for stream in zip(*padded, strict=True)]
    return {
        f"bleu_{order}": BLEU(
            tokenize="none", force=True, max_ngram_order=order, smooth_method="none"
        )
        .corpus_score(captions, streams)
        .score
        for order in (1, 2, 3, 4)
    }


def rouge_l(captions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Computes the mean ROUGE-L F-score (https://aclanthology.org/W04-1013/).

    Precision and recall are those of the longest common subsequence. As in COCO's
    evaluation, each is the maximum over the references.

    Args:
        captions: n captions.
        references: n lists of references.

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: the numbers of captions and of lists differ, or no image has a
            reference.
    """
    captions, references = scorable_pairs(captions, references)
    return float(np.mean([*map(_rouge_l_of_caption, captions, references)]))


def _rouge_l_of_caption(caption, references):
    words = caption.split()
    reference_words = [reference.split() for reference in references]
    lengths = [_longest_common_subsequence(words, other) for other in reference_words]
    if not any(lengths):
        return 0.0
    precision = max(lengths) / len(words)
    recall = max(
        length / len(other)
        for length, other in zip(lengths, reference_words, strict=True)
    )
    weight = ROUGE_BETA**2
    return (1 + weight) * precision * recall / (recall + weight * precision)


def _longest_common_subsequence(left, right):
    """Returns the length of the longest common subsequence of two lists of words."""
    lengths = [0] * (len(right) + 1)
    for word in left:
        diagonal = 0
        for column, other in enumerate(right, start=1):
            above = lengths[column]
            if word == other:
                lengths[column] = diagonal + 1
            else:
                lengths[column] = max(above, lengths[column - 1])
            diagonal = above
    return lengths[-1]


def caption_diversity(
    captions: Sequence[str], train_captions: Sequence[str]
) -> dict[str, float]:
    """Measures how much captions differ from each other and from the training captions.

    Args:
        captions: n captions, at least one.
        train_captions: captions of the training split.

    Returns:
        A dict with these keys; the first four values are in [0, 1].

        - `distinct_1`, `distinct_2`: distinct words and pairs of consecutive words,
          divided by their total number.
        - `unique`: distinct captions, divided by the number of captions.
        - `novel`: share of captions that are not training captions.
        - `vocabulary`: number of distinct words.
        - `mean_words`: mean number of words of a caption.
    """
    captions = [normalize_caption(caption) for caption in captions]
    known_captions = {normalize_caption(caption) for caption in train_captions}
    words, bigrams = (
        [ngram for caption in captions for ngram in ngrams(caption.split(), order)]
        for order in (1, 2)
    )
    num_novel = sum(caption not in known_captions for caption in captions)
    return {
        "distinct_1": len(set(words)) / max(1, len(words)),
        "distinct_2": len(set(bigrams)) / max(1, len(bigrams)),
        "unique": len(set(captions)) / len(captions),
        "novel": num_novel / len(captions),
        "vocabulary": len(set(words)),
        "mean_words": len(words) / len(captions),
    }


def score_captions(
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
    train_captions: Sequence[str],
) -> dict[str, float]:
    """Computes all metrics of captions.

    Args:
        captions: n captions.
        references: n lists of references.
        train_captions: captions of the training split.

    Returns:
        The results of `corpus_bleu` and `caption_diversity`, `rouge_l`, `cider_d`,
        `images`, the number of images with references, and `missing`, the number of
        images without.

    Raises:
        ValueError: the numbers of captions and of lists differ, or no image has a
            reference.
    """
    scored_captions, scored_references = scorable_pairs(captions, references)
    return {
        **corpus_bleu(scored_captions, scored_references),
        "rouge_l": rouge_l(scored_captions, scored_references),
        "cider_d": cider_d(scored_captions, scored_references),
        **caption_diversity(scored_captions, train_captions),
        "images": len(scored_captions),
        "missing": len(captions) - len(scored_captions),
    }
