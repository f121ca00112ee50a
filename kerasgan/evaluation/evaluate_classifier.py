"""A trained classifier on pairs that it has not met."""

from collections import Counter
from pathlib import Path

import numpy as np

from kerasgan.classification.classifier import load_classifier
from kerasgan.data import load_data
from kerasgan.errors import UserError
from kerasgan.evaluation.classification_metrics import classification_scores


def evaluate_classifier(
    run,
    source=None,
    without=None,
    *,
    image_root=None,
    image_column=None,
    caption_columns=None,
    label_column=None,
    max_bad=None,
):
    """Scores a run's classifier.

    Args:
        run: a `Run` of `train-classifier`.
        source: another table with the same labels, of which every row counts; None:
            the run's own test pairs.
        without: `"image"` or `"text"`, which is kept back.
        image_root: of that table; None: its own folder.
        image_column, caption_columns, label_column, max_bad: of that table; None: the
            run's. See `DataConfig`.

    Returns:
        As `classification_scores`, with `pairs`, how many, `left_out`, reasons to counts, and
        `notes` on how the table was read.

    Raises:
        UserError: no pair has a label that the classifier knows.
    """
    classifier = load_classifier(run)
    config = run.settings.data.model_copy(update={"keep_uncaptioned": True})
    if classifier.takes_images:
        size = {"image_size": classifier.image_size}
        config = config.model_copy(update=size)
    left_out, notes = Counter(), []
    if source is None:
        pairs = load_data(config)
        sides = [pairs.test]
    else:
        update = {
            "dataset": "table",
            "source": str(Path(source).expanduser().absolute()),
            "image_root": image_root,
            "sample": "all",
            "split": 0.5,  # both sides are judged
            "label_minimum": 1,
        }
        named = {
            "image_column": image_column,
            "caption_columns": caption_columns,
            "label_column": label_column,
            "max_bad": max_bad,
        }
        update |= {name: value for name, value in named.items() if value is not None}
        pairs = load_data(config.model_copy(update=update))
        sides = [pairs.train, pairs.test]
        left_out.update(pairs.info["skipped"])
        notes = pairs.info["notes"]
        if not pairs.label_names:
            raise UserError(
                "The table has no classes to judge by: name their column with"
                " --label-column."
            )
    images, texts, labels = [], [], []
    for side in sides:
        names = [pairs.label_names[label] for label in side.labels]
        for image, captions, name in zip(side.images, side.captions, names):
            if name not in classifier.label_names:
                left_out[f"unknown class {name}"] += 1
                continue
            images.append(None if without == "image" else image)
            texts.append(captions[0] if captions and without != "text" else "")
            labels.append(classifier.label_names.index(name))
    if not labels:
        raise UserError(
            "No pair has a class that the classifier knows:"
            f" {', '.join(classifier.label_names)}. The data's classes:"
            f" {', '.join(pairs.label_names)}"
        )
    found = classifier.classify(images, texts).argmax(axis=1)
    scores = classification_scores(np.array(labels), found, classifier.label_names)
    counts = {"pairs": len(labels), "left_out": dict(left_out), "notes": notes}
    return scores | counts
