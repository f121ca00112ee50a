"""Evaluates the retrieval of a run by its dual encoder and its captioner."""

from typing import Any

import numpy as np

from kerasgan.captioning.likelihood_reranking import LikelihoodReranker
from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.evaluation.caption_rows import CaptionedImages
from kerasgan.evaluation.retrieval import retrieval_scores, scores_from_similarity
from kerasgan.layers.text_vectorization import tokenize

DIRECTIONS = ("image_to_text", "text_to_image")


def evaluate_retrieval(
    images: CaptionedImages,
    pipeline: CaptioningPipeline,
    reranker: LikelihoodReranker | None = None,
) -> dict[str, Any]:
    """Computes retrieval metrics of images and their captions.

    Args:
        images: the images.
        pipeline: the pipeline whose dual encoder ranks.
        reranker: ranks the best matches anew; None if that is not wanted.

    Returns:
        The metrics by `CaptioningPipeline.relevance`, see `scores_from_similarity`;
        those by cosines alone as `by_cosine`; and with a reranker as `reranked`, which
        also has the number of matches that are ranked anew, `matches`.
    """
    texts = [text for captions in images.captions for text in captions]
    counts = [len(captions) for captions in images.captions]
    owners = np.repeat(np.arange(len(images)), counts)
    token_ids = tokenize(pipeline.vectorizer, texts)
    vectors = pipeline.dual_encoder.embed_token_ids(token_ids)
    relevance = pipeline.relevance(images.vectors, vectors)
    by_cosine = retrieval_scores(images.vectors, vectors, owners)
    results = scores_from_similarity(relevance, owners) | {
        "by_cosine": {direction: by_cosine[direction] for direction in DIRECTIONS}
    }
    if reranker is not None:
        scores = reranker.rerank(relevance, images.features, token_ids)
        results["reranked"] = {"matches": reranker.count} | {
            direction: scores_from_similarity(similarity, owners)[direction]
            for direction, similarity in zip(DIRECTIONS, scores, strict=True)
        }
    return results
