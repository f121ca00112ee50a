"""Evaluates the predictions of any system, by the protocols that evaluate a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import AnnotatedImage
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.evaluation.annotation_files import (
    AnnotatedRows,
    read_annotated_file,
    read_annotated_rows,
)
from kerasgan.evaluation.caption_metrics import score_captions
from kerasgan.evaluation.caption_words import normalize_references
from kerasgan.evaluation.evaluate_classes import evaluate_classes
from kerasgan.evaluation.match_predictions import count_missing, match_predictions
from kerasgan.evaluation.pair_protocol import (
    confusion_counts,
    evaluate_at_threshold,
    fit_threshold,
    matched_and_mismatched,
)
from kerasgan.evaluation.tfidf_similarity import fit_tfidf, similarity_matrix

TITLES = {
    "predictions": "the predicted captions",
    "human": "a human caption, compared with the others",
}
MAX_IMAGES = 5000  # whose captions are all compared with each other
MIN_IMAGES = 4  # two for the threshold and two for the evaluation
TRAINING_SPLITS = ("train", "restval")


def evaluate_files(
    predictions: str | Path,
    references: str | Path,
    *,
    train_captions: str | Path | None = None,
    threshold: float | None = None,
    config: DataConfig | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Scores captions or classes in a file against the references in another one.

    Images are found by their ids, or by their file names without folder and suffix.
    Predictions are captions if their file has a column `caption` or no classes.
    Unknown images, further predictions of an image and references without a prediction
    are left out and counted.

    Args:
        predictions: path of a file, see `kerasgan.evaluation.annotation_files`.
        references: path of a file, which may be of another format.
        train_captions: path of a file with the captions that TF-IDF is fitted on. None:
            those of the published training split of `references`, without the images
            that are evaluated; if it has none, all captions of `references`.
        threshold: at which captions are evaluated, in [0, 1]. None: the threshold is
            chosen on half of the images, and the others are evaluated at it.
        config: columns of the tables, None infers all; `label_separators`; and
            `several_labels`, `"all"` if images have sets of classes although no row has
            several.
        seed: of the halves and of the mismatched pairs.

    Returns:
        For captions `similarity` and `captions` as `evaluate_captions` does, with the
        rows `"predictions"` and `"human"`. For classes the results of
        `evaluate_classes`. Both have `left_out`, which maps reasons to counts,
        `examples` of them, and `notes`.

    Raises:
        UserError: a file cannot be read, or too few images have a prediction.
    """
    config = config or DataConfig(dataset="table")
    report = ReadReport()
    expected = read_annotated_rows(references, config, report)
    predicted = read_annotated_rows(
        predictions, config, report, True, expected.label_names
    )
    if _predicts_classes(predicted, config):
        results = evaluate_classes(predicted, expected, report, config.several_labels)
    else:
        results = _evaluate_captions(
            predicted, expected, train_captions, threshold, config, seed, report
        )
    return results | {
        "left_out": dict(report.skipped),
        "examples": report.examples,
        "notes": report.notes,
    }


def _predicts_classes(predicted: AnnotatedRows, config: DataConfig) -> bool:
    """Returns whether the classes of a file are evaluated, not its captions.

    The file of `kerasgan classify` has the class, and the text that it classified.
    """
    columns = predicted.columns
    if not columns.label or any(config.caption_columns or ()):
        return False
    return bool(config.label_column) or "caption" not in columns.captions


def _evaluate_captions(
    predicted: AnnotatedRows,
    expected: AnnotatedRows,
    train_captions: str | Path | None,
    threshold: float | None,
    config: DataConfig,
    seed: int,
    report: ReadReport,
) -> dict[str, Any]:
    for file in (predicted, expected):
        if not file.columns.captions:
            raise UserError(
                f"{file.path} has no captions. Name their column with --caption-column."
            )
    references = expected.group(report).images
    described = {name: image for name, image in references.items() if image.captions}
    if not described:
        raise UserError(f"{expected.path} has no captions.")
    matched = match_predictions(predicted.group(report), described, report)
    count_missing(described, matched, report)
    names = [name for name in described if name in matched]
    captions = [_first_caption(matched[name], report) for name in names]
    human_captions = [described[name].captions for name in names]
    if train_captions is not None:
        file = read_annotated_file(train_captions, config, report)
        training, origin = list(file.images.values()), str(file.path)
    else:
        training = [
            image
            for name, image in described.items()
            if name not in matched and image.split in TRAINING_SPLITS
        ]
        origin = f"the training split of {expected.path}"
    known_captions = [text for image in training for text in image.captions]
    if train_captions is not None and not known_captions:
        raise UserError(f"{origin} has no captions to fit TF-IDF on.")
    results = score_predictions(
        captions, human_captions, known_captions, threshold, seed
    )
    if not known_captions:
        origin = "the references themselves; --train-captions names others"
    report.note(f"TF-IDF was fitted on captions of {origin}")
    return results


def _first_caption(image: AnnotatedImage, report: ReadReport) -> str:
    if len(image.captions) > 1:
        report.skip("further caption", image.file, image.line, image.name, bad_rows=0)
    elif not image.captions:
        report.note("Empty captions are scored: their similarity is 0")
    return image.captions[0] if image.captions else ""


def score_predictions(
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
    train_captions: Sequence[str] = (),
    threshold: float | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Scores captions, and human captions beside them, by paper A's protocol.

    Args:
        captions: n captions, one for each image.
        references: n lists of references. In the row `"human"`, the first one is
            compared with the others.
        train_captions: what TF-IDF is fitted on; if empty, the references.
        threshold: see `evaluate_files`.
        seed: of the halves and of the mismatched pairs.

    Returns:
        `similarity` and `captions`, see `evaluate_files`. If there are more than
        `MAX_IMAGES` images, `similarity` has a sample of them.

    Raises:
        UserError: fewer than four images have references, or two with a threshold.
    """
    minimum = MIN_IMAGES if threshold is None else 2
    if sum(map(bool, normalize_references(references))) < minimum:
        raise UserError(
            f"At least {minimum} images need a prediction and a reference with a word"
            + (", or two with --threshold." if threshold is None else ".")
        )
    vectorizer = fit_tfidf(train_captions or [t for texts in references for t in texts])
    texts_of_rows = {
        "predictions": (list(captions), [list(texts) for texts in references]),
        "human": (
            [texts[0] for texts in references],
            [list(texts[1:]) for texts in references],
        ),
    }
    rows, caption_scores = {}, {}
    for name, (texts, others) in texts_of_rows.items():
        if sum(map(bool, normalize_references(others))) < minimum:
            continue
        rows[name] = _score_similarity(vectorizer, texts, others, threshold, seed)
        caption_scores[name] = score_captions(texts, others, train_captions)
        if not train_captions:
            del caption_scores[name]["novel"]
    similarity = {
        "rows": rows,
        "titles": TITLES,
        "left_out": [name for name in TITLES if name not in rows],
        "reference": "the most similar of an image's captions",
        "threshold": "chosen on half of the images, figures of the other half"
        if threshold is None
        else "as given",
    }
    return {"similarity": similarity, "captions": {"rows": caption_scores}}


def _score_similarity(
    vectorizer: TfidfVectorizer,
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
    threshold: float | None,
    seed: int,
) -> dict[str, Any]:
    """Returns the results of `evaluate_at_threshold`, and how many images it used."""
    random = np.random.default_rng(seed)
    rows = [n for n, texts in enumerate(normalize_references(references)) if texts]
    if len(rows) > MAX_IMAGES:
        rows = sorted(random.choice(rows, MAX_IMAGES, replace=False).tolist())
    matrix = similarity_matrix(
        vectorizer, [captions[row] for row in rows], [references[row] for row in rows]
    )
    if threshold is not None:
        scores = evaluate_at_threshold(matrix, threshold, seed=seed)
        return scores | {"threshold_images": 0}
    order = random.permutation(len(rows))
    held_out, test = np.sort(order[: len(rows) // 2]), np.sort(order[len(rows) // 2 :])
    threshold = fit_threshold(matrix[np.ix_(held_out, held_out)], seed=seed)
    scores = evaluate_at_threshold(matrix, threshold, seed=seed)
    matrix = matrix[np.ix_(test, test)]
    matched, mismatched = matched_and_mismatched(matrix, seed=seed)
    scores["at_validated"] = confusion_counts(matched, mismatched, threshold)
    return scores | {"threshold_images": len(held_out)}
