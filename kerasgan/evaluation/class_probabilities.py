"""Probabilities of classes in a table of predictions."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from kerasgan.data.layouts.columns import Columns
from kerasgan.data.layouts.delimited import Record

ALTERNATIVES = "alternatives"  # the column of `kerasgan classify`


def read_probabilities(
    records: Iterable[Record],
    columns: Columns,
    label_names: Sequence[str],
    probabilities: dict[int | str, np.ndarray],
) -> Iterator[Record]:
    """Reads the probabilities of classes, while the records are read.

    A class has a column of its name with numbers. Or labels and `alternatives` are
    lists of objects with `class` and `probability`, as `kerasgan classify` writes them.

    Args:
        records: lines and records.
        columns: the columns that have another meaning, and that of the labels.
        label_names: the classes.
        probabilities: gets, for each line with a probability, those of all classes,
            float64 `(classes,)`, NaN where there is none.

    Yields:
        The records. Labels are names instead of objects.
    """
    number_of = {name: number for number, name in enumerate(label_names)}
    used = {columns.image, columns.label, *columns.captions}
    for line, record in records:
        values = {name: cell for name, cell in record.items() if name not in used}
        labels = _parse_choices(record.get(columns.label))
        if labels is not None:
            record = {**record, columns.label: list(labels)}
        for choices in (labels, _parse_choices(record.get(ALTERNATIVES))):
            values |= choices or {}
        row = np.full(len(label_names), np.nan)
        for name, value in values.items():
            if name in number_of:
                row[number_of[name]] = _to_number(value)
        if np.isfinite(row).any():
            probabilities[line] = row
        yield line, record


def _parse_choices(cell: object) -> dict[str, object] | None:
    """Returns the probabilities by class in a cell; None if it is no list of them."""
    if isinstance(cell, str) and cell.startswith("[{"):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return None
    if not isinstance(cell, list) or not all(map(_is_choice, cell)):
        return None
    return {choice["class"]: choice.get("probability") for choice in cell}


def _is_choice(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("class"), str)


def _to_number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan
    return number if np.isfinite(number) else np.nan
