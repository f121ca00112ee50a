"""How well classes are told apart, and whether that was fair."""

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    precision_recall_fscore_support,
)

from kerasgan.data.label_words import label_words, mask_label_words


def classification_scores(labels, found, label_names):
    """Accuracy, macro F1 and the rest of n pairs.

    Args:
        labels, found: int `(n,)`, the right classes and the ones that were told.
        label_names: in the order of their numbers.

    Returns:
        `accuracy`, `macro_f1` over the classes that occur, `classes` with precision,
        recall, F1 and number of pairs of each, and `confusion`, a row a right class.
    """
    numbers = range(len(label_names))
    kept = {"labels": numbers, "zero_division": 0}
    precision, recall, f1, count = precision_recall_fscore_support(
        labels, found, **kept
    )
    occurs = (count > 0) | (np.bincount(found, minlength=len(label_names)) > 0)
    return {
        "accuracy": float(accuracy_score(labels, found)),
        "macro_f1": float(f1[occurs].mean()),
        "classes": {
            name: {
                "precision": float(precision[n]),
                "recall": float(recall[n]),
                "f1": float(f1[n]),
                "pairs": int(count[n]),
            }
            for n, name in enumerate(label_names)
        },
        "confusion": confusion_matrix(labels, found, labels=list(numbers)).tolist(),
    }


def find_label_leaks(train, test, label_names):
    """What makes a table easier than it looks.

    Args:
        train, test: `Examples`.

    Returns:
        `named`: share of test texts with a word that names any class, `names_own`: of
        those that name their own; `texts_known`: share of test texts that stand word
        for word in the training side; `images_known`: the same of images, as
        prepared; `words`: those looked for.
    """
    words = label_words(label_names)
    texts = test.first_texts
    left = mask_label_words(texts, words)
    named = [_tidy(a) != _tidy(b) for a, b in zip(texts, left)]
    own = [
        _tidy(text) != _tidy(mask_label_words([text], label_words([name]))[0])
        for text, name in zip(texts, (label_names[label] for label in test.labels))
    ]
    known = {text.casefold() for texts in train.texts for text in texts}
    again = [text.casefold() in known for text in texts if text]
    images = {image.tobytes() for image in train.images}
    twice = [image.tobytes() in images for image in test.images]
    return {
        "words": words,
        "named": _share(named),
        "names_own": _share(own),
        "texts_known": _share(again),
        "images_known": _share(twice),
    }


def _tidy(text):
    return " ".join(text.split())


def _share(flags):
    return float(np.mean(flags)) if len(flags) else 0.0
