"""Evaluates the captions of a run by paper A's protocol, and its dual encoder.

Thresholds are chosen on the validation part of the training split. The test split is
only used for evaluation.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from kerasgan.captioning.caption_data import data_for_captions, validation_rows
from kerasgan.captioning.likelihood_reranking import LikelihoodReranker, prior_rows
from kerasgan.captioning.pipeline import (
    LIKELIHOOD_CAPTIONER,
    CaptioningPipeline,
    load_captioner,
)
from kerasgan.data import load_data
from kerasgan.errors import UserError
from kerasgan.evaluation.caption_baselines import CaptionBaselines
from kerasgan.evaluation.caption_metrics import score_captions
from kerasgan.evaluation.caption_rows import (
    TITLES,
    CaptionedImages,
    caption_rows,
    nonempty_captions,
    references_of_row,
)
from kerasgan.evaluation.caption_words import normalize_references
from kerasgan.evaluation.evaluate_images import evaluate_images
from kerasgan.evaluation.evaluate_retrieval import evaluate_retrieval
from kerasgan.evaluation.pair_protocol import (
    auc,
    evaluate_at_threshold,
    fit_threshold,
    matched_and_mismatched,
)
from kerasgan.evaluation.tfidf_similarity import fit_tfidf, similarity_matrix
from kerasgan.files import write_json, write_text
from kerasgan.inference.prediction_writer import escape_formula
from kerasgan.runs import Run, require_same_data

COLUMNS = ("row", "image_id", "caption", "matched", "mismatched", "threshold")


def evaluate_captions(
    run: Run,
    progress: Callable[[str], None] = print,
    reranked_matches: int | None = None,
) -> dict[str, Any]:
    """Evaluates the captions and the dual encoder of a run, and writes the results.

    Args:
        run: a `Run` whose captions stage is finished.
        progress: called with a message at the beginning of each step.
        reranked_matches: captions of each image, and images of each caption, that the
            captioner ranks too, see `LikelihoodReranker`; None for none.

    Returns:
        `similarity`, `captions` and `retrieval`, and `images` if the run has a
        generator; see `evaluate_images`. Each is also written to a JSON file in
        `results/`, with `predictions.csv`, which has the scores of the matched pairs
        and of one derangement of mismatched pairs.

    Raises:
        UserError: the run has no finished captions stage, or the test split has fewer
            than two images with captions, or the data are others than in training.
    """
    pipeline, settings = load_captioner(run), run.settings
    likelihood_pipeline = load_captioner(run, LIKELIHOOD_CAPTIONER)
    progress("features of the validation and test images")
    train_captions, subsets, prior_features = _load_images(
        pipeline, run, reranked_matches is not None
    )
    known_captions = [text for texts in train_captions for text in texts]
    vectorizer = fit_tfidf(known_captions)
    baselines = CaptionBaselines(train_captions, pipeline.store.vectors, vectorizer)
    rows = {}
    for subset, images in subsets.items():
        progress(f"captions of {len(images)} {subset} images")
        rows[subset] = caption_rows(
            images, pipeline, likelihood_pipeline, baselines, settings
        )
    similarity, caption_scores, predictions = _score_rows(
        rows, subsets, vectorizer, known_captions, pipeline
    )
    reranker = None
    if prior_features is not None:
        progress(f"retrieval, the best {reranked_matches} ranked by the captioner")
        reranker = LikelihoodReranker(
            likelihood_pipeline.captioner, prior_features, reranked_matches
        )
    results = {
        "similarity": _similarity_results(similarity, subsets),
        "captions": {"rows": caption_scores},
        "retrieval": evaluate_retrieval(subsets["test"], pipeline, reranker),
    }
    if (run.models / "generator.keras").is_file():
        progress("generated images")
        image_scores = evaluate_images(run, pipeline, settings.training.seed)
        results |= {"images": image_scores} if image_scores else {}
    for name, content in results.items():
        write_json(run.results / f"{name}.json", content)
    write_text(run.results / "predictions.csv", predictions.to_csv())
    return results


def _load_images(pipeline, run, reranks):
    """Loads captions of the training images, and the validation and the test images.

    And the features of some training images for a `LikelihoodReranker`, or None.
    """
    settings = run.settings
    data = load_data(data_for_captions(settings))
    require_same_data(run, data.info)
    train_rows, held_out = validation_rows(
        data.train, settings.captions.validation, settings
    )
    test_rows = [row for row, texts in enumerate(data.test.captions) if any(texts)]
    if len(test_rows) < 2:
        raise UserError("The test split has fewer than two images with captions.")
    subsets = {
        "validation": CaptionedImages(data.train, held_out, pipeline),
        "test": CaptionedImages(data.test, test_rows, pipeline),
    }
    prior_features = None
    if reranks:
        prior_features = pipeline.encode_images(
            data.train.images[prior_rows(train_rows)]
        )
    return nonempty_captions(data.train, train_rows), subsets, prior_features


def _score_rows(
    rows: Mapping[str, Mapping[str, Sequence[str]]],
    subsets: Mapping[str, CaptionedImages],
    vectorizer: TfidfVectorizer,
    known_captions: Sequence[str],
    pipeline: CaptioningPipeline,
) -> tuple[dict[str, Any], dict[str, Any], "_PredictionTable"]:
    """Scores the rows that have mismatched pairs.

    Args:
        rows: for each subset the result of `caption_rows`.
        subsets: the validation and the test images.
        vectorizer: the result of `fit_tfidf`.
        known_captions: the captions of the training images.
        pipeline: the pipeline whose dual encoder embeds captions.

    Returns:
        Scores of similarity and of captions by row, and a table of the predictions.
    """
    similarity, caption_scores, predictions = {}, {}, _PredictionTable()
    embedding = _CaptionEmbedding(pipeline)
    for name, captions in rows["test"].items():
        pairs = {
            subset: (rows[subset][name], references_of_row(name, images))
            for subset, images in subsets.items()
        }
        if not all(_has_mismatched_pairs(texts) for _, texts in pairs.values()):
            continue
        matrices = {
            subset: similarity_matrix(vectorizer, *pair)
            for subset, pair in pairs.items()
        }
        matrix, threshold = matrices["test"], fit_threshold(matrices["validation"])
        similarity[name] = _similarity_scores(
            matrix, threshold, pairs["test"], vectorizer, embedding
        )
        caption_scores[name] = score_captions(*pairs["test"], known_captions)
        predictions.add(name, subsets["test"].ids, captions, matrix, threshold)
    return similarity, caption_scores, predictions


def _has_mismatched_pairs(references):
    """Returns whether two images have references, as mismatched pairs need.

    In the row `"human"`, images with a single caption have none.
    """
    return sum(map(bool, normalize_references(references))) >= 2


def _similarity_scores(
    matrix: np.ndarray,
    threshold: float,
    pair: tuple[Sequence[str], Sequence[Sequence[str]]],
    vectorizer: TfidfVectorizer,
    embedding: "_CaptionEmbedding",
) -> dict[str, Any]:
    """Scores the test captions of a row.

    Args:
        matrix: their `similarity_matrix`.
        threshold: the result of `fit_threshold`.
        pair: captions and references.
        vectorizer: the result of `fit_tfidf`.
        embedding: the vectors of captions by the dual encoder.

    Returns:
        The results of `evaluate_at_threshold`, and the AUC by other similarities.
    """
    embedded = similarity_matrix(embedding, *pair)
    return {
        **evaluate_at_threshold(matrix, threshold),
        "auc_by_reference": {
            reduction: auc(similarity_matrix(vectorizer, *pair, reduction))
            for reduction in ("mean", "first")
        },
        "auc_by_embedding": auc(embedded),
    }


class _CaptionEmbedding:
    """Vectors of captions by the dual encoder, which replace those of TF-IDF.

    Different words with the same meaning can be similar. Each caption is embedded once:
    all rows are compared with the same references.
    """

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self.vectors = {}

    def transform(self, captions):
        captions = list(captions)
        new = [text for text in dict.fromkeys(captions) if text not in self.vectors]
        if new:
            vectors = self.pipeline.embed_captions(new)
            self.vectors.update(zip(new, vectors, strict=True))
        return np.stack([self.vectors[text] for text in captions])


def _similarity_results(
    rows: Mapping[str, Any], subsets: Mapping[str, CaptionedImages]
) -> dict[str, Any]:
    return {
        "rows": rows,
        "titles": TITLES,
        "left_out": [name for name in TITLES if name not in rows],
        "test_images": len(subsets["test"]),
        "validation_images": len(subsets["validation"]),
        "reference": "the most similar of an image's captions",
        "embedding": "the dual encoder's vectors of captions, trained on this data set",
    }


class _PredictionTable:
    """Captions with the scores of their matched and of one mismatched pair, as CSV."""

    def __init__(self):
        self.file = io.StringIO()
        self.writer = csv.writer(self.file, lineterminator="\n")
        self.writer.writerow(COLUMNS)

    def add(self, name, ids, captions, matrix, threshold):
        has_references = ~np.isnan(np.diag(matrix))
        scores = zip(*matched_and_mismatched(matrix, num_derangements=1), strict=True)
        for image_id, caption, is_scored in zip(
            ids, captions, has_references, strict=True
        ):
            matched, mismatched = next(scores) if is_scored else ("", "")
            texts = map(escape_formula, (name, image_id, caption))
            self.writer.writerow([*texts, matched, mismatched, threshold])

    def to_csv(self):
        return self.file.getvalue()
