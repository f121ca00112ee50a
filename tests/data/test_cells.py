"""What a cell of a table contains."""

import pytest

from kerasgan.data.layouts.cells import MAX_LIST_LENGTH, cell_labels


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("red", ("red",)),
        (" red ;blue|  red", ("red", "blue")),
        ("salt, pepper", ("salt, pepper",)),  # names contain commas
        ('["red", "a;b"]', ("red", "a;b")),
        ("""['red', "it's"]""", ("red", "it's")),
        (["red", None, "blue"], ("red", "blue")),
        ("[1, 2.0, NaN]", ("1", "2")),
        ([3, 4], ("3", "4")),
        (5.0, ("5",)),
        ("[]", ()),
        ("n/a;red", ("red",)),
        (" ; ", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_labels_of_a_cell(value, labels):
    assert cell_labels(value, {"n/a"}, ";|") == labels


@pytest.mark.parametrize(
    "text",
    [
        "[red]",
        "[[1]]",
        "['a', {1: 2}]",
        "[__import__('os').getcwd()]",
        "[" * 9000 + "]" * 9000,
        "[" * 900 + "]" * 900,
        f"['{'a' * MAX_LIST_LENGTH}']",
        r"['\d', 1 if 1 else 2]",
    ],
)
def test_what_is_no_list_of_names_is_one_name(text):
    assert cell_labels(text) == (text,)


def test_without_separators_a_name_is_whole():
    assert cell_labels("Home; Garden | Tools") == ("Home; Garden | Tools",)
    assert cell_labels("a]b^c-d", separators="]^-") == ("a", "b", "c", "d")
