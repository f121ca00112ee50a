"""Metrics of classifiers, and leaks of the labels into the data."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    precision_recall_fscore_support,
)

from kerasgan.classification.scores import label_lists
from kerasgan.data.label_words import label_words, mask_label_words

if TYPE_CHECKING:
    from kerasgan.classification.examples import PairExamples


def classification_scores(
    labels: np.ndarray, predictions: np.ndarray, label_names: Sequence[str]
) -> dict[str, Any]:
    """Computes accuracy, macro F1 and the metrics of each class.

    Args:
        labels: true classes, int `(n,)`.
        predictions: predicted classes, int `(n,)`.
        label_names: names of the classes, in the order of the labels.

    Returns:
        `accuracy`; `macro_f1`, the mean over the classes that occur in `labels` or
        `predictions`; `classes`, which maps names to `precision`, `recall`, `f1` and
        the number of `pairs`; and `confusion`, a list of rows, one for each true class.
    """
    num_classes = len(label_names)
    precision, recall, f1, counts = precision_recall_fscore_support(
        labels, predictions, labels=range(num_classes), zero_division=0
    )
    occurs = (counts > 0) | (np.bincount(predictions, minlength=num_classes) > 0)
    return {
        "accuracy": float(accuracy_score(labels, predictions)),
        "macro_f1": float(f1[occurs].mean()),
        "classes": {
            name: {
                "precision": float(precision[label]),
                "recall": float(recall[label]),
                "f1": float(f1[label]),
                "pairs": int(counts[label]),
            }
            for label, name in enumerate(label_names)
        },
        "confusion": confusion_matrix(
            labels, predictions, labels=list(range(num_classes))
        ).tolist(),
    }


def find_label_leaks(
    train: "PairExamples", test: "PairExamples", label_names: Sequence[str]
) -> dict[str, Any]:
    """Measures what makes a table easier than it appears.

    Only the first text of a test image counts.

    Args:
        train: the training examples.
        test: the test examples.
        label_names: names of the classes, in the order of the labels.

    Returns:
        A dict with these keys; all but `words` are shares in [0, 1].

        - `words`: the words that name a class, see `label_words`.
        - `named`: test texts with a word that names any class.
        - `names_own`: test texts with a word that names their own class, or one of
          several.
        - `texts_known`: nonempty test texts that are also training texts, regardless
          of case.
        - `images_known`: test images that are also training images, after
          preprocessing.
    """
    words = label_words(label_names)
    texts = test.first_texts
    names_any = _contains_words(texts, words)
    own_names = [
        [label_names[label] for label in row] for row in label_lists(test.labels)
    ]
    names_own = [
        _contains_words([text], label_words(names))[0]
        for text, names in zip(texts, own_names, strict=True)
    ]
    train_texts = {text.casefold() for captions in train.texts for text in captions}
    texts_known = [text.casefold() in train_texts for text in texts if text]
    train_images = set(map(_digest, train.images))
    images_known = [_digest(image) in train_images for image in test.images]
    return {
        "words": words,
        "named": _share(names_any),
        "names_own": _share(names_own),
        "texts_known": _share(texts_known),
        "images_known": _share(images_known),
    }


def _digest(image):
    return hashlib.sha256(image.tobytes()).digest()


def _contains_words(texts, words):
    masked = mask_label_words(texts, words)
    return [
        _normalize_spaces(text) != _normalize_spaces(rest)
        for text, rest in zip(texts, masked, strict=True)
    ]


def _normalize_spaces(text):
    return " ".join(text.split())


def _share(flags):
    return float(np.mean(flags)) if len(flags) else 0.0
