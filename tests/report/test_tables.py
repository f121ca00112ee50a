"""The figures of the papers, and tables of the evaluation as text."""

import pytest
from rich.table import Table

from kerasgan.papers import A_CLAIMED, rates_from_cells
from kerasgan.report.classification_report import scores_text
from kerasgan.report.tables import (
    evaluation_text,
    left_out_lines,
    retrieval_rows,
    tables_to_text,
)


def test_paper_a_claims_another_accuracy_than_its_cells_give():
    rates = rates_from_cells()
    assert rates["precision"] == pytest.approx(A_CLAIMED["precision"], abs=5e-3)
    assert rates["recall"] == pytest.approx(A_CLAIMED["recall"], abs=5e-3)
    assert rates["accuracy"] == pytest.approx(0.776, abs=5e-4)


def test_tables_are_below_each_other():
    tables = [Table("first"), Table("second")]
    tables[0].add_row("a")
    text = tables_to_text(tables)
    assert text.index("first") < text.index("a") < text.index("second")
    assert not text.endswith("\n")


@pytest.mark.parametrize("name", ["[/b]", "[sale]", ":cat:", "runs/[red]x"])
def test_names_of_strangers_are_text(name):
    table = Table(name, title=f"of {name}", caption=name)
    table.add_row(name)
    text = tables_to_text([table])
    assert text.count(name) == 4 and f"of {name}" in text
    row = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "pairs": 4}
    scores = {"accuracy": 0.5, "macro_f1": 0.5, "pairs": 4, "classes": {name: row}}
    left_out = {"left_out": {name: 1}, "notes": [name]}
    assert scores_text(scores | left_out).count(name) == 3


def test_names_of_strangers_cannot_control_the_terminal():
    evil = "\x1b]0;\x07\x9b31m\u202e\u2066\u200f"
    table = Table(evil, title=evil)
    table.add_row(evil)
    example = {"reason": evil, "value": evil}
    lines = left_out_lines(
        {"left_out": {evil: 1}, "examples": [example], "notes": [evil]}
    )
    for text in (tables_to_text([table]), *lines):
        assert not set(text) & set(evil) - set("]0;31m")


def test_rankings_of_retrieval_are_beside_each_other():
    recall = {"r1": 1.5, "r5": 2.5, "r10": 3.5, "median_rank": 4.0}
    directions = dict.fromkeys(("image_to_text", "text_to_image"), recall)
    better = dict.fromkeys(directions, recall | {"r1": 2.0, "median_rank": 3.5})
    scores = directions | {"chance": directions, "images": 8, "captions": 40}
    assert [row[1] for row in retrieval_rows(scores)] == ["hubness correction"] * 2
    scores |= {"by_cosine": directions, "reranked": better | {"matches": 30}}
    rows = retrieval_rows(scores)
    recalls = ["1.5 (1.5)", "2.5 (2.5)", "3.5 (3.5)"]
    assert rows[0] == ["image to caption", "cosine", *recalls, "4"]
    recalls[0] = "2.0 (1.5)"
    assert rows[5] == ["caption to image", "captioner, the best 30", *recalls, "3.5"]
    assert "captioner, the best 30" in evaluation_text({"retrieval": scores})
