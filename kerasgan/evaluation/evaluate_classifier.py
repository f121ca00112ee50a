"""Evaluates a trained classifier on pairs that it was not trained on."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.classification.classifier import (
    Classifier,
    load_classifier,
    mean_by_owner,
)
from kerasgan.classification.scores import multi_hot
from kerasgan.classification.task import data_config
from kerasgan.config.settings import DataConfig
from kerasgan.data import Pairs, load_data
from kerasgan.data.pipeline import Split
from kerasgan.errors import UserError
from kerasgan.evaluation.calibration import calibration_scores
from kerasgan.evaluation.classification_metrics import classification_scores
from kerasgan.evaluation.multi_label_metrics import multi_label_scores
from kerasgan.runs import Run, require_same_data


def evaluate_classifier(
    run: Run,
    source: str | Path | None = None,
    without: str | None = None,
    *,
    image_root: str | Path | None = None,
    image_column: str | None = None,
    caption_columns: Sequence[str] | None = None,
    label_column: str | None = None,
    max_bad: float | None = None,
) -> dict[str, Any]:
    """Evaluates the classifier of a run.

    Several images of one row of a table are one pair, whose probabilities are the mean
    of theirs. Missing texts of the test pairs of the run are those of `CaptionFiller`.

    Args:
        run: a `Run` of `train-classifier`.
        source: path of another table with the same labels, of which all rows are used;
            None for the test pairs of the run.
        without: `"image"` or `"text"`, to classify without it.
        image_root: directory of that table's images; None for the table's directory.
        image_column: column of that table, see `DataConfig`; None for the run's.
        caption_columns: see `image_column`.
        label_column: see `image_column`.
        max_bad: highest share of that table's rows that may be unusable, see
            `DataConfig`; None for the run's.

    Returns:
        The results of `classification_scores` and `calibration_scores`, or of
        `multi_label_scores` for several labels; `pairs`, the number of pairs;
        `left_out`, numbers of pairs by reason; and `notes` on how the table was read.

    Raises:
        UserError: the table has no labels, or none that the classifier knows.
    """
    classifier = load_classifier(run)
    config = data_config(run.settings, classifier.image_size)
    left_out: Counter[str] = Counter()
    notes: list[str] = []
    filled = _filled_captions(run) if source is None else {}
    if source is None:
        pairs = load_data(config)
        require_same_data(run, pairs.info)
        splits = [pairs.test]
    else:
        columns = {
            "image_column": image_column,
            "caption_columns": caption_columns,
            "label_column": label_column,
            "max_bad": max_bad,
        }
        pairs = _load_table(config, source, image_root, columns)
        splits = [pairs.train, pairs.test]
        left_out.update(pairs.info["skipped"])
        notes = pairs.info["notes"]
    inputs = _collect_inputs(classifier, pairs, splits, filled, without, left_out)
    scores = _score_predictions(classifier, *inputs)
    return scores | {"left_out": dict(left_out), "notes": notes}


def _filled_captions(run):
    """The captions by image id that replace missing texts of the run's own data."""
    return run.data.get("filled_captions", {}).get("captions", {})


def _score_predictions(classifier, images, texts, labels, owners):
    probabilities = mean_by_owner(classifier.classify(images, texts), owners)
    names = classifier.label_names
    if classifier.multi_label:
        truth = multi_hot(labels, len(names))
        scores = multi_label_scores(truth, probabilities, classifier.thresholds, names)
    else:
        truth = np.array([label for (label,) in labels])
        scores = classification_scores(truth, probabilities.argmax(axis=1), names)
        scores |= calibration_scores(truth, probabilities)
    return scores | {"pairs": len(labels)}


def _load_table(
    config: DataConfig,
    source: str | Path,
    image_root: str | Path | None,
    columns: dict[str, Any],
) -> Pairs:
    """Loads a table with the settings of a run, except `columns` that are not None."""
    update = {
        "dataset": "table",
        "source": str(Path(source).expanduser().absolute()),
        "image_root": image_root,
        "sample": "all",
        "split": 0.5,  # both splits are used
        "label_minimum": 1,
    }
    update |= {name: value for name, value in columns.items() if value is not None}
    pairs = load_data(config.model_copy(update=update))
    if not pairs.label_names:
        raise UserError(
            "The table has no labels to evaluate the classifier on. Name their column"
            " with --label-column."
        )
    return pairs


def _collect_inputs(
    classifier: Classifier,
    pairs: Pairs,
    splits: Iterable[Split],
    filled: Mapping[str, str],
    without: str | None,
    left_out: Counter,
) -> tuple[list, list[str], list[list[int]], list[int]]:
    """Returns images, texts, the labels of each pair, and the pair of each image.

    The captions in `filled`, by image id, replace missing texts. Unknown labels are
    counted in `left_out`.
    """
    images, texts, labels, owners = [], [], [], []
    numbers: dict[str, int] = {}  # of pairs, by record or image id
    records = pairs.info.get("records", {})
    for split in splits:
        names = _label_names(pairs, split)
        for image_id, image, captions, found in zip(
            split.ids, split.images, split.captions, names, strict=True
        ):
            known = [name for name in found if name in classifier.label_names]
            left_out.update(f"unknown class {x}" for x in found if x not in known)
            if not known:
                continue
            images.append(None if without == "image" else image)
            text = filled.get(image_id) or (captions[0] if captions else "")
            texts.append("" if without == "text" else text)
            key = f"record {records[image_id]}" if image_id in records else image_id
            if key not in numbers:
                numbers[key] = len(numbers)
                labels.append([classifier.label_names.index(name) for name in known])
            owners.append(numbers[key])
    if not labels:
        raise UserError(
            "No pair has a class that the classifier knows:"
            f" {', '.join(classifier.label_names)}. Received the classes:"
            f" {', '.join(pairs.label_names)}"
        )
    return images, texts, labels, owners


def _label_names(pairs: Pairs, split: Split) -> list[list[str]]:
    """Returns the names of the labels of each image."""
    lists = split.label_lists or [[label] for label in split.labels]
    return [[pairs.label_names[label] for label in labels] for labels in lists]
