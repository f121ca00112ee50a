"""How good generated captions are: overlap with references, and variety.

Captions are n str, one an image, and references n lists of str. Words are those of
`words.normalize`; figures of another tokenizer, COCO's too, differ a little. Images
without references are left out.
"""

import numpy as np
from sacrebleu.metrics import BLEU

from kerasgan.evaluation.caption_words import normalize_caption, scorable_pairs
from kerasgan.evaluation.cider import cider_d, ngrams

ROUGE_BETA = 1.2  # as COCO's evaluation weighs recall


def corpus_bleu(captions, references):
    """BLEU of the whole set, as sacrebleu computes it, without smoothing.

    The nearest reference counts as the length, the shorter of two equally near.

    Returns:
        `{"bleu_1", …, "bleu_4"}`, each in [0, 100]: BLEU-n takes groups of up to n.
    """
    captions, references = scorable_pairs(captions, references)
    longest = max(len(own) for own in references)
    padded = [own + [None] * (longest - len(own)) for own in references]
    streams = [list(stream) for stream in zip(*padded)]
    return {
        f"bleu_{order}": BLEU(
            tokenize="none", force=True, max_ngram_order=order, smooth_method="none"
        )
        .corpus_score(captions, streams)
        .score
        for order in (1, 2, 3, 4)
    }


def rouge_l(captions, references):
    """Mean over images of ROUGE-L's F (https://aclanthology.org/W04-1013/).

    Precision and recall of the longest common subsequence, each with the reference
    that suits it best, as in COCO's evaluation.

    Returns:
        A float in [0, 1].
    """
    captions, references = scorable_pairs(captions, references)
    return float(np.mean([*map(_rouge, captions, references)]))


def _rouge(caption, references):
    words = caption.split()
    others = [reference.split() for reference in references]
    common = [_longest_common_subsequence(words, other) for other in others]
    if not any(common):
        return 0.0
    precision = max(common) / len(words)
    recall = max(length / len(other) for length, other in zip(common, others))
    weight = ROUGE_BETA**2
    return (1 + weight) * precision * recall / (recall + weight * precision)


def _longest_common_subsequence(left, right):
    """Length of the longest list of words that both hold in this order."""
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


def caption_diversity(captions, train_captions):
    """How much captions differ from each other and from what was learned.

    Args:
        captions: n str, at least one.
        train_captions: str of the training split.

    Returns:
        A dict: `distinct_1` and `distinct_2`, different words and pairs of words over
        all of them; `unique`, different captions over captions; `novel`, the share
        that no training caption equals; `vocabulary`, the number of different words;
        `mean_words` a caption. All but the last two are in [0, 1].
    """
    captions = [normalize_caption(caption) for caption in captions]
    learned = {normalize_caption(caption) for caption in train_captions}
    words, neighbours = (
        [group for caption in captions for group in ngrams(caption.split(), order)]
        for order in (1, 2)
    )
    return {
        "distinct_1": len(set(words)) / max(1, len(words)),
        "distinct_2": len(set(neighbours)) / max(1, len(neighbours)),
        "unique": len(set(captions)) / len(captions),
        "novel": sum(caption not in learned for caption in captions) / len(captions),
        "vocabulary": len(set(words)),
        "mean_words": len(words) / len(captions),
    }


def score_captions(captions, references, train_captions):
    """All of this module's figures in one dict, with the numbers of images.

    Returns:
        What `corpus_bleu` and `variety` give, `rouge_l`, `cider_d`, `images` (the
        judged ones) and `missing` (those without references).
    """
    judged_captions, judged_references = scorable_pairs(captions, references)
    return {
        **corpus_bleu(judged_captions, judged_references),
        "rouge_l": rouge_l(judged_captions, judged_references),
        "cider_d": cider_d(judged_captions, judged_references),
        **caption_diversity(judged_captions, train_captions),
        "images": len(judged_captions),
        "missing": len(captions) - len(judged_captions),
    }
