"""What a cell of a table contains: a text, captions or labels."""

import ast
import json
import re
import warnings
from collections.abc import Collection

MAX_LIST_LENGTH = 10_000  # characters of a list of labels that is parsed


def cell_text(value: object, missing_values: Collection[str] = frozenset()) -> str:
    """Returns a cell as text: empty if it is missing, and "3" for 3.0.

    Args:
        value: the cell.
        missing_values: texts that mean that there is no value.
    """
    if value is None or value != value:  # NaN is not equal to itself
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    return "" if text.strip() in missing_values else text


def cell_captions(
    value: object, missing_values: Collection[str] = frozenset()
) -> list[str]:
    """Returns the captions in a cell: one, a list, or a JSON list in a string.

    Args:
        value: the cell.
        missing_values: see `cell_text`.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            return [cell_text(value, missing_values)]
        if isinstance(parsed, list) and all(isinstance(item, str) for item in parsed):
            return parsed
    if isinstance(value, (list, tuple)):
        return [cell_text(item, missing_values) for item in value]
    return [cell_text(value, missing_values)]


def cell_labels(
    value: object, missing_values: Collection[str] = frozenset(), separators: str = ""
) -> tuple[str, ...]:
    """Returns the different labels in a cell: none, one or several.

    Args:
        value: the cell. Several labels are a list, a list in a string as JSON or Python
            writes it, or names in a string with separators between them.
        missing_values: see `cell_text`.
        separators: the characters that separate names in a string.
    """
    items = value if isinstance(value, (list, tuple)) else _parse_list(value)
    if items is None:
        text = cell_text(value, missing_values)
        items = re.split(f"[{re.escape(separators)}]", text) if separators else [text]
    texts = (cell_text(item, missing_values).strip() for item in items)
    return tuple(dict.fromkeys(filter(None, texts)))


def _parse_list(value: object) -> list | None:
    """Returns the list that a string contains, or None."""
    text = value.strip() if isinstance(value, str) else ""
    is_list = text.startswith("[") and text.endswith("]")
    if not is_list or len(text) > MAX_LIST_LENGTH:
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about escapes in Python's strings
                parsed = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(parsed, list) and not any(map(_is_nested, parsed)):
            return parsed
    return None


def _is_nested(item: object) -> bool:
    return isinstance(item, (list, tuple, dict, set))
