"""Checks and converts the labels of `PairClassifier`."""

import contextlib
import math
import numbers
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from scipy import sparse

MAX_COLUMNS = 10  # that a message lists
ADVICE = (
    "With multi_label=True, the labels must be an array (n, classes) of zeros and ones,"
    " of at least two classes. Names become one by"
    " sklearn.preprocessing.MultiLabelBinarizer."
)


def check_labels(labels: Any, multi_label: bool) -> list | np.ndarray:
    """Checks labels, one for each pair or any number.

    Args:
        labels: n hashable labels; or zeros and ones `(n, classes)`, also sparse.
        multi_label: whether a pair has any number of labels.

    Returns:
        A list; or an array uint8 `(n, classes)`.

    Raises:
        ValueError: a label is missing or not hashable, or the array has another shape
            or other values.
    """
    if multi_label:
        return _to_indicators(labels)
    labels = list(labels)
    for index, label in enumerate(labels):
        _check_label(label, index)
    return labels


def _check_label(label, index):
    is_nan = isinstance(label, numbers.Real) and math.isnan(label)
    if label is None or is_nan:
        raise ValueError(f"A label is missing. Received at index {index}: {label!r}")
    if not isinstance(label, Hashable):
        raise ValueError(
            "Each label must be hashable; with several labels for a pair, set"
            f" multi_label=True. Received at index {index}: {label!r}"
        )


def _to_indicators(labels):
    if sparse.issparse(labels):
        labels = labels.toarray()
    try:
        array = np.asarray(labels)
    except ValueError:  # of lists of different lengths
        raise ValueError(f"{ADVICE} Received lists of different lengths.") from None
    if array.ndim != 2 or array.shape[1] < 2:
        raise ValueError(f"{ADVICE} Received the shape: {array.shape}")
    is_valid = (array == 0) | (array == 1)
    if not is_valid.all():
        row, column = np.argwhere(~is_valid)[0].tolist()
        value = array[row].tolist()[column]
        raise ValueError(f"{ADVICE} Received at [{row}, {column}]: {value!r}")
    return array.astype(np.uint8)


def encode_labels(
    labels: list | np.ndarray,
) -> tuple[np.ndarray | list[np.ndarray], list[str], np.ndarray]:
    """Finds the classes of training pairs.

    Args:
        labels: the result of `check_labels`.

    Returns:
        The attribute `classes_` of `PairClassifier`; the names of the classes, which of
        several labels are the numbers of the columns; and the labels as `PairExamples`
        has them.

    Raises:
        ValueError: there is only one class, or no pair has one of several labels.
    """
    if isinstance(labels, np.ndarray):
        _require_examples(labels)
        columns = range(labels.shape[1])
        return [np.array([0, 1]) for _ in columns], [*map(str, columns)], labels
    classes = find_classes(labels)
    index_of = {label: index for index, label in enumerate(classes)}
    targets = np.array([index_of[label] for label in labels], np.int64)
    return classes, [*map(str, classes)], targets


def _require_examples(labels):
    empty = np.flatnonzero(~labels.any(axis=0)).tolist()
    if len(empty) == labels.shape[1]:
        raise ValueError("No pair has a label: all values of the labels are 0.")
    if empty:
        more = ", …" if len(empty) > MAX_COLUMNS else ""
        listed = ", ".join(map(str, empty[:MAX_COLUMNS]))
        raise ValueError(
            "Each class needs a pair that has it: remove the columns of the labels that"
            f" are all 0. Received such columns: {listed}{more}"
        )


def find_classes(labels: Sequence[Any]) -> np.ndarray:
    """Returns the distinct labels, sorted if they can be compared.

    Args:
        labels: any hashable labels.

    Returns:
        An array `(classes,)`, of dtype object unless all are strings, or numbers of the
        same type.

    Raises:
        ValueError: there is only one class.
    """
    classes = list(dict.fromkeys(labels))
    if len(classes) < 2:
        raise ValueError(
            f"The labels must have at least two classes. Received: only {classes[0]!r}"
        )
    with contextlib.suppress(TypeError):  # different types keep their order
        classes = sorted(classes)
    is_plain = isinstance(classes[0], str | numbers.Number | np.generic)
    if is_plain and len(set(map(type, classes))) == 1:
        return np.array(classes)
    array = np.empty(len(classes), dtype=object)
    for index, label in enumerate(classes):  # which may be tuples
        array[index] = label
    return array
